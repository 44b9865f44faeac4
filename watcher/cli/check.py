"""`watcher check`: tries settings, servers, channels and database, and says how each stands; sends nothing."""

import argparse
from collections.abc import Sequence

import anyio

from watcher.cli.examining import Group, examine_all, examine_database, examine_settings
from watcher.cli.given import quiet_log, settings_of
from watcher.cli.screen import say
from watcher.core.finding import Finding, Grade
from watcher.settings import Settings


def execute(args: argparse.Namespace) -> int:
    """Try everything and print what was found; 1 if something failed."""
    settings = settings_of(args)
    quiet_log(settings)
    groups = anyio.run(_groups, settings)
    for group in groups:
        say(group.title)
        for finding in group.findings:
            say(_line(finding))
    findings = [finding for group in groups for finding in group.findings]
    say(summary(findings))
    return 1 if any(finding.grade == Grade.FAILED for finding in findings) else 0


def summary(findings: Sequence[Finding]) -> str:
    """Sum up in one line."""
    failed = sum(finding.grade == Grade.FAILED for finding in findings)
    warned = sum(finding.grade == Grade.WARNING for finding in findings)
    warnings = f"{warned} warning" if warned == 1 else f"{warned} warnings"
    if failed:
        return f"{failed} failed, {warnings}"
    return f"all well, {warnings}" if warned else "all well"


async def _groups(settings: Settings) -> list[Group]:
    return [examine_settings(settings), *await examine_all(settings), examine_database(settings)]


def _line(finding: Finding) -> str:
    return f"  {finding.grade.value:<7}  {finding.what}: {finding.text}"
