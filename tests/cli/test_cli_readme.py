"""The README: what it shows holds."""

import re
import shlex
from pathlib import Path

from tests.settings.settings_world import World
from watcher.cli.parser import parse

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS: list[tuple[str, str]] = re.findall(r"^```(\w*)\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


def block(start: str) -> str:
    """Return the code block in which a text stands."""
    return next(text for _, text in BLOCKS if start in text)


def test_it_opens_with_the_two_lines() -> None:
    """Right after the title: the demo and the tests, each enough by itself."""
    opening = re.match(r"# vb365-watcher\n\n```\w*\n(.*?)\n```\n", README, flags=re.DOTALL)
    assert opening is not None
    demo, tests = opening.group(1).split("\n")
    assert demo == "python3 -m venv .venv && .venv/bin/pip install -q . && .venv/bin/watcher demo"
    assert tests.startswith("python3 -m venv .venv && .venv/bin/pip install -q ")
    assert tests.endswith("'.[test]' && .venv/bin/pytest")


def test_its_settings_file_holds(tmp_path: Path) -> None:
    """Without a warning."""
    world = World(tmp_path)
    env = world.write("readme.env", block("WATCHER_URL="))
    settings = world.bare({"TZ": "UTC"}, options={"env_file": str(env)})
    assert settings.warnings == ()
    assert settings.servers[0].username == "DOMAIN\\watcher"
    assert [channel.name for channel in settings.channels] == ["ops"]


def test_its_toml_holds_with_the_credentials_that_it_speaks_of(tmp_path: Path) -> None:
    """Every table and key is known, and the names of the credentials are those that are looked for."""
    world = World(tmp_path)
    world.write("watcher.toml", block("[[servers]]"), mode=0o644)
    for name in re.findall(r"`((?:password|channel)-\w+)`", README):
        world.credential(name, f"json://{name}")
    settings = world.bare({"TZ": "UTC"})
    assert [server.password.reveal() for server in settings.servers] == ["json://password-HQ", "json://password-Branch"]
    assert [channel.name for channel in settings.channels] == ["ops", "ticketing"]
    assert settings.warnings == ()


def test_every_command_line_in_it_is_one() -> None:
    """The parser takes them all."""
    lines = [line for _, text in BLOCKS for line in text.replace("\\\n", " ").split("\n")]
    found = [match.group(1) for line in lines if (match := re.search(r"(?:^|/)watcher ([a-z-]+[^#]*)", line))]
    assert {parse(shlex.split(words)).command for words in found} == {
        "demo",
        "check",
        "test-channel",
        "run",
        "silence",
        "explain",
    }


def test_every_file_that_it_names_is_there() -> None:
    """A link that leads nowhere helps nobody."""
    names = [name for name in re.findall(r"\]\(([\w./-]+)\)", README) if "://" not in name]
    assert names
    assert [name for name in names if not (ROOT / name).exists()] == []
