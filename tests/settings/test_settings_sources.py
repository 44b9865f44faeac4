"""Where settings come from, and which of them wins."""

from datetime import UTC, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.settings.settings_world import LOGIN, World
from watcher.settings import Listen, SettingsError, Usual, address, load
from watcher.settings.zone import machine_zone


def minutes(world: World, environ: dict[str, str], options: dict[str, str]) -> float:
    """Return the interval of looks that holds, in minutes."""
    return world.load(environ, options=options).poll_interval / timedelta(minutes=1)


def test_command_line_wins_over_environment_over_env_file_over_toml_over_default(world: World) -> None:
    """Each source is taken away in turn, and the next one counts."""
    assert minutes(world, {}, {}) == 0.5
    world.write("watcher.toml", 'poll_interval = "5m"\n')
    assert minutes(world, {}, {}) == 5
    world.write("settings.env", "WATCHER_POLL_INTERVAL=4m\n")
    assert minutes(world, {}, {}) == 4
    assert minutes(world, {"WATCHER_POLL_INTERVAL": "3m"}, {}) == 3
    assert minutes(world, {"WATCHER_POLL_INTERVAL": "3m"}, {"poll_interval": "2m"}) == 2


def test_a_secrets_sources_have_the_same_order_with_credentials_below_the_env_file(world: World) -> None:
    """A `_FILE` twin counts as much as the setting itself in the same place."""
    secret = world.write("pw", "from file\n")

    def password(environ: dict[str, str] | None = None) -> str:
        return world.load({"WATCHER_PASSWORD": ""} | (environ or {})).servers[0].password.reveal()

    world.write("watcher.toml", 'password = "from toml"\n')
    assert password() == "from toml"
    world.credential("password", "from credential\n")
    assert password() == "from credential"
    world.write("settings.env", "WATCHER_PASSWORD=from env file\n")
    assert password() == "from env file"
    assert password({"WATCHER_PASSWORD_FILE": str(secret)}) == "from file"
    assert password({"WATCHER_PASSWORD": "from environment"}) == "from environment"


def test_an_empty_value_is_as_good_as_none_but_switches_the_status_page_off(world: World) -> None:
    """Compose files and units often pass on variables that nobody set."""
    world.write("settings.env", "WATCHER_KEEP=2d\nWATCHER_LISTEN=127.0.0.1:1\n")
    settings = world.load({"WATCHER_KEEP": "", "WATCHER_LISTEN": ""})
    assert settings.keep == timedelta(days=2)
    assert settings.listen is None
    assert world.load().listen == Listen("127.0.0.1", 1)


def test_the_usual_files_are_read_if_they_are_there_and_others_if_they_are_named(world: World) -> None:
    """What was read is said, for `check` to show."""
    assert world.load().files == ()
    usual = world.write("settings.env", "WATCHER_KEEP=2d\n"), world.write("watcher.toml", 'lookback = "1h"\n')
    assert world.load().files == usual
    env, toml = world.write("other.env", "WATCHER_HOLD=1h\n"), world.write("other.toml", "")
    settings = world.load(options={"env_file": str(env), "config": str(toml)})
    assert settings.files == (env, toml)
    assert (settings.keep, settings.lookback) == (timedelta(days=400), timedelta(0))


def test_watcher_config_names_the_toml_from_the_environment_or_the_env_file(world: World) -> None:
    """So that a unit with one env file needs no more."""
    toml = world.write("elsewhere.toml", 'keep = "3d"\n')
    assert world.load({"WATCHER_CONFIG": str(toml)}).keep == timedelta(days=3)
    world.write("settings.env", f"WATCHER_CONFIG={toml}\n")
    assert world.load().keep == timedelta(days=3)


@pytest.mark.parametrize("option", ["env_file", "config"])
@pytest.mark.parametrize("file", ["", "/nowhere", "/"])
def test_an_option_that_names_no_file_is_one_mistake(world: World, option: str, file: str) -> None:
    """What seems to be missing may stand in that file; an empty name does not mean the usual one."""
    with pytest.raises(SettingsError) as error:
        world.bare(options={option: file})
    (line,) = error.value.problems
    assert line.startswith(f"--{option.replace('_', '-')}: ")


def test_a_variable_that_is_not_utf8_is_a_mistake(world: World) -> None:
    """Nothing that is sent could carry it."""
    assert world.problems({"WATCHER_PASSWORD": "caf\udce9"}) == (
        "WATCHER_PASSWORD: is not UTF-8 text: set it in a terminal or file that writes UTF-8",
    )


@pytest.mark.parametrize("option", ["env_file", "config"])
def test_a_file_that_was_named_and_is_missing_is_a_mistake(world: World, option: str) -> None:
    """A missing usual file is none, a missing file that somebody named is."""
    with pytest.raises(SettingsError) as error:
        world.load(options={option: "/nowhere/at/all"})
    flag = f"--{option.replace('_', '-')}"
    assert error.value.problems == (f"{flag}: /nowhere/at/all cannot be read: No such file or directory",)


@pytest.mark.parametrize(
    ("environ", "problem"),
    [
        ({"WATCHER_INTERVALL": "3"}, "WATCHER_INTERVALL: unknown setting: did you mean WATCHER_POLL_INTERVAL?"),
        ({"WATCHER_PASWORD_FILE": "x"}, "WATCHER_PASWORD_FILE: unknown setting: did you mean WATCHER_PASSWORD_FILE?"),
        ({"WATCHER_ZZZZZZ": "x"}, "WATCHER_ZZZZZZ: unknown setting: settings.example.env shows every one"),
        ({"WATCHER_url": "x"}, "WATCHER_url: unknown setting: did you mean WATCHER_URL?"),
    ],
)
def test_an_unknown_name_in_the_environment_names_the_nearest(
    world: World, environ: dict[str, str], problem: str
) -> None:
    """A misspelt setting is never a setting that is silently not there."""
    assert world.problems(environ) == (problem,)


def test_an_unknown_name_in_the_env_file_is_named_with_its_line(world: World) -> None:
    """Our prefix makes it a mistake; any other name only has no effect."""
    world.write("settings.env", "# head\nWATCHER_TIMEZON=UTC\n")
    assert world.problems() == ("settings.env:2: WATCHER_TIMEZON: unknown setting: did you mean WATCHER_TIMEZONE?",)
    world.write("settings.env", "watcher_keep=2d\n")
    assert world.problems() == ("settings.env:1: watcher_keep: unknown setting: did you mean WATCHER_KEEP?",)
    world.write("settings.env", "WACTHER_URL=x\nTZ=UTC\nKEEP=2d\n")
    assert tuple(map(world.local, world.load().warnings)) == (
        "settings.env:1: sets none of our settings and has no effect: did you mean WATCHER_URL?",
        "settings.env:2: sets none of our settings and has no effect",
        "settings.env:3: sets none of our settings and has no effect: did you mean WATCHER_KEEP?",
    )


def test_a_name_that_stands_twice_in_the_env_file_counts_as_it_stands_last(world: World) -> None:
    """It works as in a shell, and is said."""
    world.write("settings.env", "WATCHER_KEEP=2d\nWATCHER_KEEP=3d\n")
    settings = world.load()
    assert settings.keep == timedelta(days=3)
    assert tuple(map(world.local, settings.warnings)) == ("settings.env:2: sets WATCHER_KEEP again: this line counts",)


def test_all_mistakes_are_told_at_once_each_with_its_place(world: World) -> None:
    """Nobody should have to start the program five times to find five mistakes."""
    world.write("settings.env", "WATCHER_KEEP=long\n")
    world.write("watcher.toml", "lookback = true\nlistn = 1\n")
    assert world.problems({"WATCHER_API_VERSION": "v2", "WATCHER_TIMEZONE": "Europe/Zurch"}) == (
        "watcher.toml: listn: not known to this version: did you mean `listen`?",
        "WATCHER_API_VERSION: `v2` is not one of auto, v3, v4, v5, v6, v7, v8",
        "WATCHER_TIMEZONE: `Europe/Zurch` is no time zone: did you mean `Europe/Zurich`?",
        "watcher.toml: lookback: `true` is no duration: write seconds (`30`, `0.2`) or `500ms`, `30s`, `5m`, `2h`, "
        "`1d`",
        "settings.env:1: WATCHER_KEEP: `long` is no duration: write seconds (`30`, `0.2`) or `500ms`, `30s`, `5m`, "
        "`2h`, `1d`",
    )


def test_without_any_settings_the_address_and_the_login_are_asked_for(world: World) -> None:
    """The first start says all that it takes to begin."""
    asked, *login = world.bare_problems()
    assert asked == "WATCHER_URL: missing: set it to the server's address, as `https://HOST:4443`"
    assert [problem.split(":")[0] for problem in login] == ["WATCHER_USERNAME", "WATCHER_PASSWORD"]


def test_an_address_that_does_not_hold_hides_no_missing_login(world: World) -> None:
    """Both are mended in one go."""
    assert [problem.split(":")[0] for problem in world.bare_problems({"WATCHER_URL": "ftp://h"})] == [
        "WATCHER_URL",
        "WATCHER_USERNAME",
        "WATCHER_PASSWORD",
    ]


def test_an_address_without_a_login_asks_for_both_parts(world: World) -> None:
    """Each is a line of its own."""
    assert [problem.split(":")[0] for problem in world.bare_problems({"WATCHER_URL": "https://h"})] == [
        "WATCHER_USERNAME",
        "WATCHER_PASSWORD",
    ]


def test_a_good_login_alone_gives_the_defaults_of_the_public_face_and_no_warning(world: World) -> None:
    """The defaults are those that are promised."""
    settings = world.load()
    server = settings.servers[0]
    assert settings.warnings == ()
    assert (server.name, server.url, server.username) == ("default", LOGIN["WATCHER_URL"], "DOM\\watcher")
    assert (server.api_version, server.verify_tls, server.enabled) == ("auto", True, True)
    assert (server.ca_file, server.proxy, server.tls_fingerprints) == (None, None, ())
    assert (settings.poll_interval, settings.lookback) == (timedelta(seconds=30), timedelta(0))
    assert (settings.hold, settings.group_wait, settings.attempts) == (
        timedelta(hours=2),
        timedelta(seconds=10),
        "final",
    )
    assert (settings.listen, settings.log_format, settings.log_level) == (Listen("127.0.0.1", 8365), "text", "info")
    assert (settings.keep, settings.watch) == (timedelta(days=400), frozenset({"backup", "copy"}))
    assert settings.timezone == ZoneInfo("Europe/Zurich")
    assert "session.failed" in settings.notify_on
    assert not {"session.success", "session.started"} & settings.notify_on


def test_no_channels_is_a_warning(world: World) -> None:
    """The watcher can serve its page alone, but mostly somebody forgot."""
    assert world.load({"WATCHER_CHANNELS": ""}).warnings == (
        "WATCHER_CHANNELS: no channel is set, so nobody is told of anything",
    )


def test_such_a_setting_is_still_checked(world: World) -> None:
    """What does not hold now would not hold later."""
    assert world.problems({"WATCHER_ATTEMPTS": "every"})[0].startswith("WATCHER_ATTEMPTS: `every` is not one of")


@pytest.mark.parametrize(
    ("environ", "place"),
    [
        ({"STATE_DIRECTORY": "/srv/a:/srv/b"}, "/srv/a"),
        ({"XDG_STATE_HOME": "/home/u/state"}, "/home/u/state/vb365-watcher"),
        ({"HOME": "/home/u"}, "/home/u/.local/state/vb365-watcher"),
    ],
)
def test_the_database_is_in_the_state_folder(world: World, environ: dict[str, str], place: str) -> None:
    """The service's own comes first, then the user's; `run` makes it."""
    settings = world.load(environ)
    assert settings.database_url.reveal() == f"sqlite:///{place}/watcher.db"
    assert settings.state_folder == Path(place)


@pytest.mark.parametrize(
    ("where", "more", "is_meant"),
    [
        ("0.0.0.0:8365", {}, False),
        ("[::]:8365", {}, False),
        ("watch.example:8365", {}, False),
        ("192.0.2.7:80", {"WATCHER_ADMIN_TOKEN": "a long one"}, True),
        ("0.0.0.0:8365 insecure", {}, True),
        ("127.0.0.2:8365", {}, True),
        ("[::1]:8365", {}, True),
        ("localhost:8365", {}, True),
        ("", {}, True),
    ],
)
def test_others_are_served_only_if_that_was_said_twice(
    world: World, where: str, more: dict[str, str], is_meant: bool
) -> None:
    """One line tells each way to say it; commands that only read the database do not care."""
    environ = {"WATCHER_LISTEN": where, **more}
    if is_meant:
        assert world.load(environ).listen == (address.listen(where) if where else None)
        return
    place = address.listen(where)
    assert place is not None
    with pytest.raises(SettingsError) as error:
        world.load(environ)
    assert error.value.problems == (
        "WATCHER_LISTEN: others can reach this address: set WATCHER_ADMIN_TOKEN as well, listen on 127.0.0.1, "
        f"or say `{where} insecure` if anybody may read the page",
    )
    assert world.load(environ, need_secrets=False).listen == place


def test_the_services_database_is_found_by_whoever_asks(tmp_path: Path) -> None:
    """`watcher status` of an administrator shows what the service knows."""
    usual = Usual(settings=tmp_path, state=tmp_path / "var")
    usual.state.mkdir()
    settings = load(options={}, environ={"HOME": "/home/u"}, need_secrets=False, usual=usual)
    assert settings.database_url.reveal() == f"sqlite:///{tmp_path}/var/watcher.db"


def test_a_database_that_is_set_has_no_folder_to_make(world: World) -> None:
    """Only the default place is ours to make."""
    settings = world.load({"WATCHER_DATABASE_URL": "sqlite:////srv/x.db"})
    assert (settings.database_url.reveal(), settings.state_folder) == ("sqlite:////srv/x.db", None)


def test_the_machines_zone_knows_of_summer_time(tmp_path: Path) -> None:
    """A fixed offset would be an hour wrong after the next change."""
    localtime = tmp_path / "localtime"
    localtime.symlink_to("/usr/share/zoneinfo/Europe/Zurich")
    zone = machine_zone({}, localtime)
    assert str(zone) == "Europe/Zurich"
    assert machine_zone({"TZ": ":America/New_York"}, localtime) == ZoneInfo("America/New_York")
    assert machine_zone({}, tmp_path / "none") is UTC


@pytest.mark.parametrize("name", ["CET-1CEST", "Europe", "../../etc/passwd", "Nowhere/City"])
def test_a_machine_whose_zone_is_no_name_is_warned_about(world: World, name: str) -> None:
    """UTC is used then, and it is said."""
    settings = world.load({"WATCHER_TIMEZONE": "", "TZ": name})
    assert settings.timezone is UTC
    assert settings.warnings[0].startswith("WATCHER_TIMEZONE: this machine's zone cannot be found out")


@pytest.mark.parametrize("name", ["Europe", "../../etc/passwd", "/etc/localtime", "\0"])
def test_a_zone_that_is_none_is_refused(world: World, name: str) -> None:
    """A folder or a path of the zone data is no zone either."""
    assert "is no time zone" in world.problems({"WATCHER_TIMEZONE": name})[0]
