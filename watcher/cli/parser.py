"""The words of the command line. Nothing heavy is imported here, so that `watcher --help` answers at once."""

import argparse
from collections.abc import Sequence
from textwrap import fill
from typing import NoReturn, TypeAlias

from watcher import __version__
from watcher.cli.ending import Ending

LIMIT = 1000
_LARGEST_ID = (1 << 63) - 1
_MOST = 1_000_000_000
_FASTEST = 100_000
_STATES = ("pending", "delivered", "dead")

_ABOUT = """\
Watches the backup sessions of Veeam Backup for Microsoft 365 and tells people, reliably, how they ended.

Settings come from the environment (WATCHER_URL, …), from --env-file, and from a watcher.toml; settings.example.env
shows every one. Start with `watcher demo`, which needs none."""

_ENDING = """\
exit codes: 0 done; 1 something failed, or the database does not have it; 2 wrong usage, a name that nothing has, or
settings that do not hold (one line for each mistake)

example: watcher check --env-file settings.env"""


class _Help(argparse.HelpFormatter):
    """Breaks paragraphs where the terminal ends, and leaves an example as it is to be typed."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        paragraphs = text.split("\n\n")
        return "\n\n".join(one if one.startswith("example:") else fill(one, width) for one in paragraphs)


class _Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        raise Ending(f"{message.removeprefix('argument ')} (see `{self.prog} --help`)", code=2)


_Commands: TypeAlias = "argparse._SubParsersAction[_Parser]"  # noqa: SLF001 - its only name for a type checker


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read a command line. Ending with code 2 if it does not hold; SystemExit after --help and --version."""
    return build().parse_args(argv)


def build() -> argparse.ArgumentParser:
    """Make the parser of all commands."""
    parser = _Parser(
        prog="watcher",
        description=_ABOUT,
        epilog=_ENDING,
        formatter_class=_Help,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"watcher {__version__}")
    _add_files(parser, default=None)
    commands: _Commands = parser.add_subparsers(
        title="commands", dest="command", metavar="COMMAND", required=True, parser_class=_Parser
    )
    _add_running(commands)
    _add_showing(commands)
    return parser


def _add_running(commands: _Commands) -> None:
    demo = _add(commands, "demo", "Watch a made-up server and print the messages; needs no settings.", "--speed 1200")
    demo.add_argument("--port", type=_port, default=8365, help="port of the status page on 127.0.0.1 (8365)")
    demo.add_argument("--speed", type=_speed, default=600.0, help="how much faster than real time it lives (600)")
    demo.add_argument("--seed", type=_seed, default=0, help="another number makes another week (0)")
    run = _add(commands, "run", "Watch the servers and tell the channels, until stopped.", "--env-file settings.env")
    run.add_argument("--once", action="store_true", help="look once at every server, send what is due, and end")
    _add(commands, "check", "Try settings, servers and channels, and say what is wrong; sends nothing.", "")
    test = _add(commands, "test-channel", "Send a test message through channels.", "ops")
    test.add_argument("names", nargs="*", metavar="NAME", help="name of a channel; all, if none")


def _add_showing(commands: _Commands) -> None:
    status = _add(
        commands, "status", "Show what is wrong, servers, channels, jobs, and what waits to be sent.", "--json"
    )
    sessions = _add(commands, "sessions", "Show the sessions that are known, newest first.", "--limit 20")
    sessions.add_argument("--follow", action="store_true", help="go on with new and changed ones, until Ctrl-C")
    deliveries = _add(commands, "deliveries", "Show what was or will be sent, newest first.", "--state dead")
    deliveries.add_argument("--state", choices=_STATES, help="only these")
    retry = _add(commands, "retry", "Put dead deliveries back, their age and attempts at zero.", "--dead --to ops")
    retry.add_argument("ids", nargs="*", type=_id, metavar="ID", help="id of a delivery, as `watcher deliveries` shows")
    retry.add_argument("--dead", action="store_true", help="all dead ones")
    retry.add_argument("--to", metavar="NAME", help="send through this channel instead; moves pending ones, too")
    _add_silence(commands)
    _add_explain(commands)
    for lister in (sessions, deliveries):
        lister.add_argument("--limit", type=_count, default=LIMIT, metavar="N", help=f"at most so many ({LIMIT})")
    for shower in (status, sessions, deliveries):
        shower.add_argument("--json", action="store_true", help="print JSON, for programs")


def _add_silence(commands: _Commands) -> None:
    silence = _add(commands, "silence", "Tell nobody of some events for a while.", 'add --job "HR*" --for 4h')
    actions: _Commands = silence.add_subparsers(
        title="actions", dest="action", metavar="ACTION", required=True, parser_class=_Parser
    )
    add = _add(actions, "add", "Begin a silence.", '--server HQ --for 4h --reason "patch day"', of="silence ")
    _add_terms(add, several=True)
    add.add_argument("--for", dest="span", metavar="TIME", help="how long: 30m, 4h, 2d")
    add.add_argument("--until", metavar="TIME", help="or until when: 2026-03-01T06:00, in the zone of the settings")
    add.add_argument("--by", "--author", metavar="NAME", help="who says so (the user of this login)")
    add.add_argument("--reason", default="", metavar="TEXT", help="why")
    shown = _add(actions, "list", "Show the silences, those that are over too.", "--json", of="silence ")
    shown.add_argument("--json", action="store_true", help="print JSON, for programs")
    shown.add_argument("--limit", type=_count, default=LIMIT, metavar="N", help=f"at most so many ({LIMIT})")
    remove = _add(actions, "remove", "End silences before their time.", "3", of="silence ")
    remove.add_argument(
        "ids", nargs="+", type=_silence, metavar="ID", help="number of a silence, as `silence list` shows"
    )


def _add_explain(commands: _Commands) -> None:
    explain = _add(
        commands,
        "explain",
        "Show who is told of an event, or was told of a session, and why.",
        '--job "HR Mail" --event session.failed --at 23:30',
    )
    explain.add_argument("session", nargs="?", metavar="SESSION-ID", help="what became of this session")
    _add_terms(explain, several=False)
    explain.add_argument("--job-type", metavar="TYPE", help="of this kind of work: backup, copy, restore, …")
    explain.add_argument("--at", metavar="TIME", help="as if it were then: 23:30, or 2026-03-01T23:30")
    explain.add_argument("--json", action="store_true", help="print JSON, for programs")


def _add_terms(parser: _Parser, *, several: bool) -> None:
    """Add the traits of an event; where several are allowed, each may be repeated and hold `*`, `?` and `!`."""
    how = "append" if several else "store"
    also = "; * and ? stand for anything, ! for not" if several else ""
    parser.add_argument("--job", action=how, metavar="NAME", help=f"of this job{also}")
    parser.add_argument("--server", action=how, metavar="NAME", help="of this server")
    parser.add_argument("--organization", action=how, metavar="NAME", help="of this organization")
    parser.add_argument("--event", action=how, metavar="EVENT", help="of this kind: failed, session.warning, …")
    if several:
        parser.add_argument("--severity", action=how, metavar="WORD", help="failure, warning, success or info")


def _add(commands: _Commands, name: str, about: str, example: str, *, of: str = "") -> _Parser:
    parser = commands.add_parser(
        name,
        help=about,
        description=about,
        epilog=f"example: watcher {of}{name} {example}".rstrip(),
        formatter_class=_Help,
        allow_abbrev=False,
    )
    _add_files(parser, default=argparse.SUPPRESS)
    return parser


def _add_files(parser: argparse.ArgumentParser, default: str | None) -> None:
    """Add the options that every command takes, before its word and after it."""
    parser.add_argument("--env-file", metavar="FILE", default=default, help="settings, one NAME=value a line")
    parser.add_argument("--config", metavar="FILE", default=default, help="a watcher.toml, for several servers")


def _count(text: str) -> int:
    return _number(text, 1, _MOST, f"a number from 1 to {_MOST}")


def _id(text: str) -> int:
    return _number(text, 1, _LARGEST_ID, "the id of a delivery")


def _silence(text: str) -> int:
    return _number(text, 1, _LARGEST_ID, "the number of a silence")


def _port(text: str) -> int:
    return _number(text, 0, 65535, "a port, 0 to 65535")


def _number(text: str, lowest: int, highest: int, what: str) -> int:
    if text.isascii() and text.isdigit() and lowest <= int(text) <= highest:
        return int(text)
    raise argparse.ArgumentTypeError(f"`{text}` is not {what}")


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if 0 < speed <= _FASTEST:
        return speed
    raise argparse.ArgumentTypeError(f"`{text}` is not a speed: write a number above 0, {_FASTEST} at most")


def _seed(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"`{text}` is not a whole number") from None
