"""watcher.toml: several servers and channels."""

from datetime import time, timedelta

import pytest

from tests.settings.settings_world import World

TWO = """
poll_interval = 60
username = "DOM\\\\shared"
password = "shared secret"

[[servers]]
name = "HQ"
url = "https://hq.example.com:4443/v8"
poll_interval = "10s"
password = "hq secret"
verify_tls = true

[[servers]]
name = "Branch office"
url = "https://branch.example.com:4443"
enabled = false

[[channels]]
name = "ops"
url = "mailto://u:p@mail.example.com?to=a@example.com,b@example.com"

[[channels]]
url = "webhook+https://hooks.example.com/in"
secret = "whsec_b3duIHNlY3JldCBvZiBpdA=="
"""


def test_tables_are_servers_and_channels_with_the_plain_keys_as_their_defaults(world: World) -> None:
    """What a table does not say, the flat settings do."""
    world.write("watcher.toml", TWO)
    settings = world.bare()
    hq, branch = settings.servers
    assert (hq.name, hq.url, hq.username, hq.password.reveal()) == (
        "HQ",
        "https://hq.example.com:4443",
        "DOM\\shared",
        "hq secret",
    )
    assert (hq.poll_interval, branch.poll_interval) == (timedelta(seconds=10), timedelta(minutes=1))
    assert (branch.name, branch.enabled, branch.password.reveal()) == ("Branch office", False, "shared secret")
    ops, hook = settings.channels
    assert (ops.name, ops.secret) == ("ops", None)
    assert ops.url.reveal().endswith("a@example.com,b@example.com")
    assert hook.name.startswith("webhook+https-")
    assert hook.secret is not None


def test_a_tables_own_key_wins_over_everything_but_the_command_line(world: World) -> None:
    """The environment is for all servers, a table for its own."""
    world.write("watcher.toml", TWO)
    settings = world.bare({"WATCHER_POLL_INTERVAL": "7s"})
    assert [server.poll_interval.seconds for server in settings.servers] == [10, 7]
    settings = world.bare({"WATCHER_POLL_INTERVAL": "7s"}, options={"poll_interval": "5s"})
    assert [server.poll_interval.seconds for server in settings.servers] == [5, 5]


def test_the_address_of_the_flat_settings_is_one_more_server(world: World) -> None:
    """It is called `default`."""
    world.write("watcher.toml", TWO)
    servers = world.load({"WATCHER_CHANNELS": ""}).servers
    assert [server.name for server in servers] == ["HQ", "Branch office", "default"]


def test_channels_of_the_flat_list_and_of_tables_are_told_alike(world: World) -> None:
    """Both are there."""
    world.write("watcher.toml", TWO)
    names = [channel.name for channel in world.bare({"WATCHER_CHANNELS": "first=json://h"}).channels]
    assert names[:2] == ["first", "ops"]


def test_the_shared_secret_signs_the_webhooks_that_have_none(world: World) -> None:
    """And no other kind of channel."""
    environ = {"WATCHER_CHANNELS": "a=webhook+https://h/x b=json://h", "WATCHER_WEBHOOK_SECRET": "whsec_c2hhcmVk"}
    first, second = world.load(environ).channels
    assert first.secret is not None
    assert first.secret.reveal() == "whsec_c2hhcmVk"
    assert second.secret is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("colour = 1", "watcher.toml: colour: not known to this version"),
        ("pol_interval = 1", "watcher.toml: pol_interval: not known to this version: did you mean `poll_interval`?"),
        ("[[watchdogs]]\nmatch = 1", "watcher.toml: watchdogs: is no table, or several: write `[watchdogs]` once"),
        ("[watchdogs]\na = 1", "watcher.toml: [watchdogs]: a: not known to this version"),
        ("digest = 1", "watcher.toml: digest: is no table, or several: write `[digest]` once"),
        *(
            (f"[digest]\n{line}", f"watcher.toml: [digest]: {problem}")
            for line, problem in (
                ("evry='weekly'", "evry: not known to this version: did you mean `every`?"),
                ("every='monthly'", "every: `monthly` is not one of daily, weekly"),
                ("at='8'", "at: `8` is no time of day: write `07:00`"),
                ("day='mon'", 'day: needs `every = "weekly"`'),
                ("every='weekly'\nday='someday'", "day: `someday` is no day"),
                ("channels='nobody'", "channels: no channel is called `nobody`"),
            )
        ),
        ("config = 'x'", "watcher.toml: config: not known to this version"),
        ("[servers]\nname = 'a'", "watcher.toml: servers: is one table: write `[[servers]]`, with two brackets"),
        ("servers = 'a'", "watcher.toml: servers: is no table: write `[[servers]]`"),
        ("servers = ['a']", "watcher.toml: servers: is no table: write `[[servers]]`"),
        ("routes = [{}, 1]", "watcher.toml: routes: has more than tables in it: write `[[routes]]` for each"),
        ("[keep]\na = 1", "watcher.toml: keep: is of a wrong kind: write a text, a number"),
        ("WATCHER_KEEP = '1d'", "watcher.toml: WATCHER_KEEP: not known to this version: did you mean `keep`?"),
        (
            "[[silences]]\nevery = 1",
            "watcher.toml: [[silences]] 1: every: not known to this version: known are match, ",
        ),
        ("[[templates]]\nevent='nope'", "watcher.toml: [[templates]] 1: event: `nope` is no event: they are failed, "),
        (
            "[[servers]]\nlable={}",
            "watcher.toml: [[servers]] 1: lable: not known to this version: did you mean `labels`?",
        ),
        ("keep = 2026-01-01", "watcher.toml: keep: is of a wrong kind: write a text, a number, true or false, or a "),
        ("notify_on = []", "watcher.toml: notify_on: is an empty list: name something, or leave the key out"),
        ("keep = 'x'\nkeep = 'y'", "watcher.toml: is no TOML: Cannot overwrite a value (at line 2, column 11)"),
        ("password = 'a'\npassword_file = 'b'", "watcher.toml: password_file: is set beside "),
        ("routes = 1", "watcher.toml: routes: is no table: write `[[routes]]`"),
        ("[silences]\nweekly = 'x'", "watcher.toml: silences: is one table: write `[[silences]]`, with two brackets"),
        *(
            (f"[[routes]]\n{line}", f"watcher.toml: [[routes]] 1: {problem}")
            for line, problem in (
                ("chanels=['ops']", "chanels: not known to this version: did you mean `channels`?"),
                ("match=1", "match: is no table: write `match = "),
                ("match={jbo='x'}", "match: jbo: not known to this version: did you mean `job`?"),
                ("match={job=[]}", "match: job: is empty: name something"),
                ("match={severity='failed'}", "match: severity: `failed` is no severity: did you mean `failure`?"),
                ("match={event='session.fail'}", "match: event: `session.fail` is no event: did you mean"),
                ("match={labels={site=1.5}, job=true}", "match: job: is of a wrong kind: write a text"),
                ("channels='nobody'", "channels: no channel is called `nobody`"),
                ("notify_on='fialed'", "notify_on: `fialed` is no event: did you mean `failed`?"),
                ("attempts='all'", "attempts: `all` is not one of final, each"),
                ("group_wait='soon'", "group_wait: `soon` is no duration"),
                ("group_by='jobs'", "group_by: `jobs` is no trait of an event: did you mean `job`?"),
                ("quiet='22-7'", "quiet: hours: `22` is no time of day: write `07:00`"),
                ("quiet='22:00'", "quiet: hours: `22:00` is no span of hours: write `22:00-07:00`"),
                ("quiet={hours='1:00-2:00', days='someday'}", "quiet: days: `someday` is no day: write one of mon, "),
                ("quiet={hours='1:00-2:00', zone='Europe/Zurch'}", "quiet: zone: `Europe/Zurch` is no time zone: did"),
                ("quiet={hours='1:00-2:00', mode='keep'}", "quiet: mode: `keep` is not one of hold, drop"),
                ("quiet={hours='1:00-2:00', pierce='bad'}", "quiet: pierce: `bad` is not one of info, success, "),
                ("quiet='00:00-24:00'", "quiet: never ends, so nothing would ever be told"),
                ("quiet=[{hours='1:00-2:00', mode='drop'}, '3:00-4:00']", "quiet: `mode` and `pierce` have to be "),
                ("remind_every='1s'", "remind_every: `1s` is too short: the shortest is 60 s"),
                ("remind_at_most=0", "remind_at_most: `0` is no number: write 1 to 1000"),
                ("stop='yes'", "stop: is of a wrong kind: write true or false"),
            )
        ),
        ("[[routes]]\nname='a'\n[[routes]]\nname='a'", "watcher.toml: [[routes]] 2: name: another route is called `a`"),
        *(
            (f"[[silences]]\n{line}", f"watcher.toml: [[silences]] 1: {problem}")
            for line, problem in (
                ("reason='x'", "weekly: missing: write when it is, as `sun 02:00-06:00`"),
                ("weekly='02:00'", "weekly: `02:00` is no span of hours: write `22:00-07:00`"),
                ("weekly='sun-mon 02:60-03:00'", "weekly: `02:60` is no time of day"),
                ("weekly='0:00-24:00'", "weekly: never ends"),
            )
        ),
        *(
            (f"[[channels]]\nname='a'\nurl='webhook+http://h'\n{line}", f"watcher.toml: [[channels]] 1: {problem}")
            for line, problem in (
                ("batch=0", "batch: `0` is no batch: write a number from 1 to 1000"),
                ("rate='20'", "rate: `20` is no rate: write `20/min`, `1/s` or `100/h`, or `none`"),
                ("rate='0/min'", "rate: `0/min` is no rate: "),
                ("on_unknown='resent'", "on_unknown: `resent` is not one of resend, drop"),
                ("details='some'", "details: `some` is not one of full, short, none"),
                ("give_up_after='soon'", "give_up_after: `soon` is no duration: "),
            )
        ),
        ("[[channels]]\nname='a b'\nurl='json://h'", "watcher.toml: [[channels]] 1: has a name that does not hold"),
        ("[[channels]]\nname='a'", "watcher.toml: [[channels]] 1: url: missing: set it, or `url_file`, or put a "),
        ("[[channels]]\nurl='no url, hush'", "watcher.toml: [[channels]] 1: is no channel URL: write `SCHEME://…`"),
        ("[[servers]]\nurl='https://x'", "watcher.toml: [[servers]] 1: name: missing: give each server a name"),
        ("[[servers]]\nname='a'", "watcher.toml: [[servers]] 1: url: missing: write `https://HOST:4443`"),
        (
            "[[servers]]\nname='a'\nurl='https://x'\nverify=1",
            "watcher.toml: [[servers]] 1: verify: not known to this version: did you mean `verify_tls`?",
        ),
        (
            "[[servers]]\nname='a'\nurl='https://x'\npoll_interval='0.05'",
            "watcher.toml: [[servers]] 1: poll_interval: `0.05` is too short: the shortest is 0.1 s",
        ),
        (
            "[[servers]]\nname='a'\nurl='https://x'\nlabels='x'",
            "watcher.toml: [[servers]] 1: labels: are names with texts: write `labels = ",
        ),
    ],
)
def test_each_mistake_names_the_file_the_key_and_the_mend(world: World, text: str, problem: str) -> None:
    """One line each, and nothing of a URL."""
    world.write("watcher.toml", f"{text}\n")
    found = world.problems()
    assert any(line.startswith(problem) for line in found), found
    assert "hush" not in str(found)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "[[servers]]\nname='a'\nurl='https://x'\n[[servers]]\nname='b'\nurl='https://X:443/v8/'",
            "watcher.toml: [[servers]] 2: has the address of server `a`: keep one of the two",
        ),
        (
            "[[servers]]\nname='a'\nurl='https://x'\n[[servers]]\nname='a'\nurl='https://y'",
            "watcher.toml: [[servers]] 2: another server is called `a`, too: rename one of them",
        ),
        (
            "[[servers]]\nname='default'\nurl='https://x'",
            "WATCHER_URL: another server is called `default`, too: rename one of them",
        ),
        (
            "[[channels]]\nname='a'\nurl='json://x'\n[[channels]]\nname='b'\nurl='json://x'",
            "watcher.toml: [[channels]] 2: channel `b` has the URL of `a`: keep one of the two",
        ),
        (
            "[[channels]]\nname='a'\nurl='json://x'\n[[channels]]\nname='a'\nurl='json://y'",
            "watcher.toml: [[channels]] 2: another channel is called `a`, too: rename one of them",
        ),
        (
            "channels = ['json://x', 'json://x']",
            "watcher.toml: channels: channel `json-a23bde1a` is set twice: keep one of the two",
        ),
    ],
)
def test_two_of_one_name_or_one_address_are_a_mistake(world: World, text: str, problem: str) -> None:
    """One server watched twice would tell everything twice."""
    world.write("watcher.toml", f"{text}\n")
    assert world.problems({"WATCHER_CHANNELS": ""}) == (problem,)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("keep = long", "Invalid value (at line 1, column 8): a text stands in quotes"),
        ("keep 30d", "Expected '=' after a key in a key/value pair (at line 1, column 6): write `key = value`"),
        (
            "keep = '1d' '2d'",
            "Expected newline or end of document after a statement (at line 1, column 13): write one ",
        ),
        (
            'username = "DOMAIN\\watcher"',
            "Unescaped '\\' in a string (at line 1, column 21): write a text with a `\\` ",
        ),
        (
            'username = "DOMAIN\\user"',
            "Invalid hex value (at line 1, column 21): write a text with a `\\` in it in single",
        ),
        ('keep = "1d', "Illegal character '\\n' (at line 1, column 11): end the text with its quote on the same line"),
        ("[digest]\n[digest]", "Cannot declare ('digest',) twice (at line 2, column 8): it stands there twice"),
        ("[[routes]", "Expected ']]' at the end of an array declaration (at line 1, column 9): end the name"),
        ("watch = ['copy'", "Unclosed array (at "),
    ],
)
def test_what_is_no_toml_is_one_line_with_the_mend(world: World, text: str, problem: str) -> None:
    """And no word of what seems to be missing, which may stand in the file."""
    world.write("watcher.toml", f"{text}\n")
    (found,) = world.bare_problems()
    assert found.startswith(f"watcher.toml: is no TOML: {problem}")


@pytest.mark.parametrize("text", ["[servers]\nname = 'a'", "servers = 'a'", "[[server]]\nname = 'a'"])
def test_a_table_of_servers_that_is_not_read_is_said_once(world: World, text: str) -> None:
    """Not a second time as a server that is missing."""
    world.write("watcher.toml", f"username='u'\npassword='p'\n{text}\n")
    assert len(world.bare_problems()) == 1


@pytest.mark.parametrize("escaped", ["DOMAIN\\bob", "DOMAIN\\temp", "DOMAIN\\nsvc"])
def test_a_login_that_toml_has_read_otherwise_is_a_mistake(world: World, escaped: str) -> None:
    """In double quotes a backslash begins a control character."""
    world.write("watcher.toml", f'username = "{escaped}"\n')
    (found,) = world.problems({"WATCHER_USERNAME": ""})
    assert found.startswith("watcher.toml: username: has a control character in it: in watcher.toml write it in single")


@pytest.mark.parametrize(
    ("routes", "warned"),
    [
        ("[[routes]]\nchannels='ops'\n[[routes]]\nchannels='ops'\nmatch={job='x'}", True),
        ("[[routes]]\nstop=true\n[[routes]]\nchannels='ops'\nnotify_on='success'", True),
        ("[[routes]]\nchannels='ops'\n[[routes]]\nchannels='ops'\nnotify_on='success'", False),
        ("[[routes]]\nchannels='ops'\n[[routes]]\nchannels='ops'\nattempts='each'", False),
        ("[[routes]]\nmatch={job='x'}\nchannels='ops'\n[[routes]]\nchannels='ops'", False),
        ("[[routes]]\nchannels='ops'\n[[routes]]\nchannels=[]\nstop=true", False),
    ],
)
def test_a_route_that_can_have_no_effect_is_warned_about(world: World, routes: str, warned: bool) -> None:
    """One before it takes all that it could take: they stand the wrong way round."""
    world.write("watcher.toml", f"{routes}\n")
    place = "watcher.toml: [[routes]] 2"
    warning = f"{place}: has no effect: a route before it decides all of it; put it first"
    assert [world.local(line) for line in world.load().warnings] == ([warning] if warned else [])


@pytest.mark.parametrize("table", ["routes", "silences"])
def test_a_server_that_there_is_not_is_warned_about(world: World, table: str) -> None:
    """What is meant for it would never fit."""
    weekly = "weekly='sun 02:00-06:00'\n" if table == "silences" else ""
    world.write("watcher.toml", f"[[{table}]]\n{weekly}match={{server='defualt'}}\n")
    (line,) = world.load().warnings
    assert world.local(line) == f"watcher.toml: [[{table}]] 1: match: server: fits no server: they are default"
    world.write("watcher.toml", f"[[{table}]]\n{weekly}match={{server=['def*', '!HQ']}}\n")
    assert world.load().warnings == ()


def test_labels_are_kept(world: World) -> None:
    """Routes ask for them."""
    world.write("watcher.toml", "[[servers]]\nname='a'\nurl='https://x'\nlabels={site='Zurich'}\n")
    settings = world.load()
    assert settings.servers[0].labels == (("site", "Zurich"),)
    assert settings.warnings == ()


def test_routes_inherit_what_they_do_not_say(world: World) -> None:
    """Their own words win; without any there is one that stands for all."""
    assert [route.name for route in world.load().routes] == ["all"]
    world.write(
        "watcher.toml",
        """
        notify_on = "failed"
        group_wait = "5s"
        [[servers]]
        name = "a"
        url = "https://x"
        [[channels]]
        name = "ops"
        url = "json://h"
        [[channels]]
        name = "lost"
        url = "json://i"
        [[routes]]
        name = "night"
        match = { job = ["HR*", "!HR test"], labels = { site = "Zurich" }, event = "failed" }
        channels = "ops"
        notify_on = ["warning", "session.failed"]
        attempts = "each"
        group_by = []
        quiet = { hours = "22:00-7:00", days = "mon-fri", zone = "Europe/Zurich", pierce = ["failure"] }
        remind_every = "1d"
        stop = true
        [[routes]]
        channels = []
        """,
    )
    settings = world.load({"WATCHER_CHANNELS": ""})
    night, rest = settings.routes
    assert (night.name, rest.name) == ("night", "route 2")
    assert str(night.match) == "job `HR*` or `!HR test`, event `session.failed`, labels.site `Zurich`"
    assert night.notify_on == {"session.warning", "session.failed"}
    assert (night.is_final, night.group_by, night.stops, rest.stops) == (False, (), True, False)
    assert (rest.group_wait, rest.channels) == (timedelta(seconds=5), ())
    assert rest.notify_on == {"session.failed"}
    (window,) = night.quiet.windows
    assert (window.begins, window.ends, window.days) == (time(22), time(7), frozenset(range(5)))
    assert settings.warnings == ("channel lost: no route leads to it, so it is told of nothing",)


def test_a_server_without_a_login_is_named_by_its_table(world: World) -> None:
    """Unless it is switched off."""
    world.write("watcher.toml", "[[servers]]\nname='a'\nurl='https://x'\n")
    assert [problem.split(": missing")[0] for problem in world.bare_problems()] == [
        "watcher.toml: [[servers]] 1: username",
        "watcher.toml: [[servers]] 1: password",
    ]
    world.write("watcher.toml", "[[servers]]\nname='a'\nurl='https://x'\nenabled=false\n")
    assert world.bare_problems() == ()


def test_a_secret_of_a_channel_that_is_not_signed_is_warned_about(world: World) -> None:
    """It would have no effect."""
    world.write("watcher.toml", "[[channels]]\nname='a'\nurl='json://h'\nsecret='whsec_eA=='\n")
    assert "has no effect" in world.load().warnings[0]


def test_risky_servers_are_warned_about(world: World) -> None:
    """Plain HTTP off loopback, and certificates that are not checked."""
    world.write("watcher.toml", "[[servers]]\nname='a'\nurl='http://x'\nverify_tls=false\n")
    warnings = world.load().warnings
    assert "unencrypted" in warnings[0]
    assert "verify_tls is false" in warnings[1]


def test_a_ca_file_that_is_not_there_is_a_mistake(world: World) -> None:
    """Every look would fail for it."""
    assert world.problems({"WATCHER_CA_FILE": "/nowhere.pem"}) == (
        "WATCHER_CA_FILE: /nowhere.pem cannot be read: No such file or directory",
    )


def test_a_ca_file_in_another_form_is_a_mistake(world: World) -> None:
    """Windows exports certificates as DER; every look would fail for it, too."""
    path = world.write("ca.cer", "0\x82\x03 not PEM")
    (found,) = world.problems({"WATCHER_CA_FILE": str(path)})
    assert found.startswith("WATCHER_CA_FILE: ca.cer holds no certificate in PEM form: `openssl x509 -inform der ")
    path.write_text("-----BEGIN CERTIFICATE-----\n")
    assert world.problems({"WATCHER_CA_FILE": str(path)}) == ()
