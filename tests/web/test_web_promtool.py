"""The alert rules and the dashboard of docs/: judged by the real promtool, and held to the metrics that there are."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.web.web_samples import NOW, channel, row, status
from watcher.core.board import tallies
from watcher.web.metrics import Metrics

DOCS = Path(__file__).parents[2] / "docs"
NAME = re.compile(r"\b(watcher_[a-z_]+|process_[a-z_]+)\b(?!\s*[,)]\s*(?:job|server)\))")


def promtool(*words: str) -> str:
    """Run Debian's promtool; returns what it says, and fails with that."""
    path = shutil.which("promtool")
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("promtool of Debian's package `prometheus` is missing")
        pytest.skip("promtool of Debian's package `prometheus` is missing")
    done = subprocess.run([path, *words], capture_output=True, text=True, check=False, cwd=DOCS)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def metrics() -> set[str]:
    """Return the names of all series that /metrics can have."""
    counted = Metrics()
    counted.look("HQ", "success", 0.3)
    counted.transition("HQ", "session.failed")
    counted.delivery("ops", "delivered")
    counted.silenced("HQ", 1)
    text = counted.render(status(channels=[channel()]), tallies([(row(), 1)], NOW)).decode()
    return {re.split(r"[{ ]", line)[0] for line in text.splitlines() if line and not line.startswith("#")}


def queries() -> Iterator[str]:
    """Yield the dashboard's queries, its variables filled in."""
    dashboard: dict[str, Any] = json.loads((DOCS / "grafana.json").read_text(encoding="utf-8"))
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            yield target["expr"].replace("$__rate_interval", "5m").replace("$server", ".*").replace("$job", "x")
    for variable in dashboard["templating"]["list"]:
        if found := re.fullmatch(r"label_values\((\w+), \w+\)", variable.get("definition", "")):
            yield found[1]


def test_the_alert_rules_hold_and_say_what_they_should() -> None:
    """By promtool itself: the rules, and a test of each."""
    assert "8 rules found" in promtool("check", "rules", "alerts.yml")
    assert "SUCCESS" in promtool("test", "rules", "alerts_test.yml")
    rules = set(re.findall(r"alert: (\w+)", (DOCS / "alerts.yml").read_text(encoding="utf-8")))
    assert rules == set(re.findall(r"alertname: (\w+)", (DOCS / "alerts_test.yml").read_text(encoding="utf-8")))


def test_every_query_of_the_dashboard_is_one(tmp_path: Path) -> None:
    """Promtool reads each as if it were a rule."""
    rules = [{"record": f"panel:{number}", "expr": query} for number, query in enumerate(queries())]
    assert len(rules) > 15
    written = tmp_path / "rules.yml"
    written.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    assert f"{len(rules)} rules found" in promtool("check", "rules", str(written))


def test_only_metrics_that_there_are_are_asked_for() -> None:
    """A panel or an alert on a name that nothing has would stay silent for ever."""
    there = metrics()
    asked = {name for query in queries() for name in NAME.findall(query)}
    asked |= set(re.findall(r"\bwatcher_[a-z_]+", (DOCS / "alerts.yml").read_text(encoding="utf-8")))
    assert len(asked) >= 12
    assert asked - there == set()


def test_promtool_finds_nothing_in_the_metrics_themselves() -> None:
    """Their names and types are as Prometheus wants them."""
    counted = Metrics()
    counted.look("HQ", "success", 0.3)
    text = counted.render(status(channels=[channel()]), tallies([(row(), 1)], NOW))
    path = shutil.which("promtool")
    if path is None:
        promtool()
    done = subprocess.run([str(path), "check", "metrics"], input=text, capture_output=True, check=False)
    assert (done.returncode, done.stderr.decode()) == (0, "")
