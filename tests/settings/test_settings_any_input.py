"""Whatever is written, settings come out or mistakes do; never another error."""

import tempfile
from contextlib import suppress
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.settings.settings_world import World
from watcher.settings import SettingsError
from watcher.settings.table import CHANNEL_PLACES, PLACES, SERVER_PLACES, TABLE

_VALUES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20) | st.sampled_from(
    [
        "0",
        "9" * 400,
        "1e999",
        "-1",
        "::1:1",
        "https://[",
        "json://[::",
        "[",
        "\\",
        "\r",
        "auto",
        "Europe",
        "https://a:b@c",
    ]
)
_SCALARS = st.sampled_from(
    """1|-1|1.5|1e400|nan|inf|true|''|'x'|[]|['x', 1]|[[1], 2]|{a = 1}|[{a = 1}]|2026-01-01|12:00:00|"\\n\\n"|'https://x'"""
    """|'json://x'|"\\u0000"|"\\ud7ff"|'/'|'LONG'|'..'""".replace("LONG", "x" * 300).split("|")
)
_NAMES = [setting.variable for setting in TABLE] + [f"{setting.variable}_FILE" for setting in TABLE if setting.secret]


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(_NAMES), _VALUES, max_size=6), st.booleans())
def test_any_values_of_variables(environ: dict[str, str], need_secrets: bool) -> None:
    """Each mistake is one line."""
    with tempfile.TemporaryDirectory() as folder:
        found = World(Path(folder)).problems(environ, need_secrets=need_secrets)
    assert all(len(line.splitlines()) == 1 for line in found)


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from(sorted(PLACES)), _SCALARS, max_size=3),
    st.dictionaries(st.sampled_from([*sorted(SERVER_PLACES), "labels"]), _SCALARS, max_size=3),
    st.dictionaries(st.sampled_from(sorted(CHANNEL_PLACES)), _SCALARS, max_size=3),
)
def test_any_values_of_keys(top: dict[str, str], server: dict[str, str], channel: dict[str, str]) -> None:
    """In the file and in its tables."""
    server = {"name": "'a'", "url": "'https://a'"} | server
    channel = {"name": "'a'", "url": "'json://a'"} | channel
    parts = (("", top), ("[[servers]]", server), ("[[channels]]", channel))
    text = "\n".join("\n".join((head, *(f"{key} = {value}" for key, value in keys.items()))) for head, keys in parts)
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        world.write("watcher.toml", text)
        with suppress(SettingsError):
            world.load()


@settings(deadline=None)
@given(st.binary(max_size=60), st.sampled_from(["settings.env", "watcher.toml"]))
def test_any_bytes_of_a_file(content: bytes, name: str) -> None:
    """Also if they are no text."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        world.write(name, "").write_bytes(content)
        with suppress(SettingsError):
            world.load()
