"""docs/watcher.toml: one file that shows every key, and that works."""

import tomllib
from pathlib import Path

from tests.settings.settings_world import World
from watcher.core.match import TERMS
from watcher.core.watchdog.limits import Limits
from watcher.settings import digest, routes, templates, watchdogs
from watcher.settings.setting import Place
from watcher.settings.table import CHANNEL_PLACES, SERVER_PLACES

MANUAL = Path(__file__).parents[2] / "docs" / "watcher.toml"


def plain(places: dict[str, Place]) -> set[str]:
    return {key for key, place in places.items() if not place.in_file}


def test_it_holds_without_a_word(world: World) -> None:
    """Somebody will copy it whole."""
    world.write("watcher.toml", MANUAL.read_text(encoding="utf-8"))
    settings = world.load({"WATCHER_CHANNELS": "", "WATCHER_URL": ""})
    assert settings.warnings == ()
    assert [route.name for route in settings.routes] == ["on call", "copies at night", "audit", "people", "programs"]
    assert settings.digest is not None
    assert settings.heartbeat is not None
    assert settings.watchdogs.limits == Limits()  # what it says the defaults are


def test_it_shows_every_key() -> None:
    """What stands nowhere is found by nobody."""
    text = MANUAL.read_text(encoding="utf-8")
    content = tomllib.loads(text)
    shown = {table: {key for one in content[table] for key in one} for table in ("servers", "channels", "routes")}
    assert shown["servers"] == (plain(dict(SERVER_PLACES)) | {"labels"}) - {"ca_file"}
    assert "# ca_file" in text
    assert shown["channels"] == plain(dict(CHANNEL_PLACES))
    assert shown["routes"] == set(routes.ROUTE_KEYS)
    assert {key for one in content["routes"] for key in one.get("match", {})} == {*TERMS, "labels"}
    assert {key for one in content["silences"] for key in one} == set(routes.SILENCE_KEYS)
    assert {key for one in content["templates"] for key in one} == set(templates.KEYS)
    assert set(content["digest"]) == set(digest.KEYS)
    assert set(content["heartbeat"]) == set(digest.KEYS) - {"day"}
    assert set(content["watchdogs"]) == {*watchdogs.KEYS, "overrides"}
    assert set(content["watchdogs"]["overrides"][0]["match"]) == set(watchdogs.OVERRIDE_TERMS)
