"""settings.example.env: every setting, its default and a sentence."""

import re
from pathlib import Path

from tests.settings.settings_world import World
from watcher.settings.example import example_env
from watcher.settings.table import TABLE

EXAMPLE = Path(__file__).parents[2] / "settings.example.env"


def test_the_file_is_what_the_table_says() -> None:
    """Whoever changes the table makes the file anew: `python -m watcher.settings.example > settings.example.env`."""
    assert EXAMPLE.read_text(encoding="utf-8") == example_env()


def test_it_has_every_setting_with_a_sentence() -> None:
    """None is kept from the reader."""
    paragraphs = re.findall(r"((?:^# .+\n)+)^#(WATCHER_[A-Z_]+)=(.*)$", example_env(), flags=re.MULTILINE)
    assert [name for _, name, _ in paragraphs] == [setting.variable for setting in TABLE]
    assert all(about.split("\n")[0].endswith((".", ",", "or")) or len(about) > 100 for about, _, _ in paragraphs)


def test_its_lines_hold_when_the_hash_is_taken_off(world: World) -> None:
    """Defaults and examples are values that work."""
    text = re.sub(r"^#(WATCHER_)", r"\1", EXAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    text = text.replace("/etc/vb365-watcher/", f"{world.etc}/")
    world.write("ca.pem", "-----BEGIN CERTIFICATE-----\n")
    world.write("watcher.toml", "")
    path = world.write("all.env", text)
    settings = world.bare(options={"env_file": str(path)})
    assert settings.servers[0].url == "https://vb365.example.com:4443"


def test_its_defaults_are_the_defaults(world: World) -> None:
    """A default that is written out changes nothing."""
    lines = [f"{setting.variable}={setting.default}\n" for setting in TABLE if setting.default is not None]
    plain = world.load()
    path = world.write("defaults.env", "".join(lines))
    written = world.load(options={"env_file": str(path)})
    for name in ("notify_on", "poll_interval", "lookback", "keep", "listen", "attempts", "hold", "group_wait", "watch"):
        assert getattr(written, name) == getattr(plain, name), name
    assert written.servers == plain.servers
