"""Secrets: where they are found, who may read them, and that they stay in."""

import pytest

from tests.settings.settings_world import World
from watcher.settings import Secret, SettingsError

HUSH = "hush-hush-4711"
COUNTS = "counts; the other value in"


def test_a_secret_shows_itself_only_when_asked() -> None:
    """Printing, formatting and logging give stars."""
    secret = Secret(HUSH)
    assert secret.reveal() == HUSH
    assert {str(secret), repr(secret), f"{secret}", f"{secret!r}", "%s" % secret} == {"***"}  # noqa: UP031
    assert Secret(HUSH) == secret
    assert len({Secret(HUSH), secret}) == 1


def test_settings_show_no_secret(world: World) -> None:
    """Whoever logs them whole gives nothing away."""
    settings = world.load(
        {
            "WATCHER_PASSWORD": HUSH,
            "WATCHER_CHANNELS": f"a=json://{HUSH}@h b=webhook+https://h",
            "WATCHER_WEBHOOK_SECRET": HUSH,
            "WATCHER_ADMIN_TOKEN": HUSH,
            "WATCHER_PROXY": f"http://u:{HUSH}@p",
            "WATCHER_DATABASE_URL": f"postgresql://u:{HUSH}@h/n",
            "WATCHER_HEARTBEAT_URL": f"https://h/{HUSH}",
        }
    )
    assert HUSH not in repr(settings)
    assert HUSH in settings.secret_values()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PASSWORD", f"{HUSH}\n{HUSH}"),
        ("CHANNELS", HUSH),
        ("WEBHOOK_SECRET", f"{HUSH}\n{HUSH}"),
        ("DATABASE_URL", HUSH),
        ("ADMIN_TOKEN", f"{HUSH}\n{HUSH}"),
        ("HEARTBEAT_URL", HUSH),
        ("PROXY", HUSH),
    ],
)
def test_no_mistake_repeats_a_secret(world: World, name: str, value: str) -> None:
    """Neither in its text nor in an exception behind it."""
    with pytest.raises(SettingsError) as error:
        world.load({f"WATCHER_{name}": value})
    assert error.value.problems[0].startswith(f"WATCHER_{name}: ")
    assert HUSH not in str(error.value)
    assert error.value.__cause__ is None
    assert error.value.__context__ is None


@pytest.mark.parametrize(
    ("text", "value"), [("s3cret", "s3cret"), ("s3cret\n", "s3cret"), ("s3cret\r\n", "s3cret"), (" s \n", " s ")]
)
def test_a_secret_file_is_taken_word_for_word_but_for_its_last_newline(world: World, text: str, value: str) -> None:
    """Editors end files with one."""
    path = world.write("pw", text)
    settings = world.load({"WATCHER_PASSWORD": "", "WATCHER_PASSWORD_FILE": str(path)})
    assert settings.servers[0].password.reveal() == value


def test_a_list_of_channels_may_fill_a_file_line_by_line(world: World) -> None:
    """A credential is a good place for it."""
    world.credential("channels", "a=json://h/a\nb=json://h/b\n")
    settings = world.load({"WATCHER_CHANNELS": ""})
    assert [channel.name for channel in settings.channels] == ["a", "b"]


@pytest.mark.parametrize("name", ["webhook_secret", "webhook-secret"])
def test_credentials_are_found_by_name_with_either_dash(world: World, name: str) -> None:
    """The name is the setting's; a dash is how systemd's own credentials are written."""
    world.credential(name, "whsec_aHVzaA==\n")
    secret = world.load({"WATCHER_CHANNELS": "webhook+http://h"}).channels[0].secret
    assert secret is not None
    assert secret.reveal() == "whsec_aHVzaA=="


def test_tables_have_credentials_of_their_own(world: World) -> None:
    """`password-SERVERNAME` and `channel-NAME`."""
    world.write("watcher.toml", "[[servers]]\nname='HQ'\nurl='https://x'\n[[channels]]\nname='ops'\n")
    world.credential("password-HQ", "hq\n")
    world.credential("channel-ops", "json://h/ops\n")
    settings = world.load({"WATCHER_URL": "", "WATCHER_CHANNELS": ""})
    assert settings.servers[0].password.reveal() == "hq"
    assert settings.channels[0].url.reveal() == "json://h/ops"


def test_a_servers_name_reaches_no_file_outside_of_the_credentials(world: World) -> None:
    """A name with a slash has no credential."""
    (world.credentials / "password-").mkdir()
    world.write("pw", "outside")
    world.write("watcher.toml", "[[servers]]\nname='/../../etc/pw'\nurl='https://x'\n")
    assert "missing" in world.bare_problems({"WATCHER_USERNAME": "u"})[0]


def test_a_setting_and_its_file_in_one_place_contradict_each_other(world: World) -> None:
    """In the environment and in an env file alike."""
    assert world.problems({"WATCHER_PASSWORD_FILE": "/x"}) == (
        "WATCHER_PASSWORD_FILE: is set beside WATCHER_PASSWORD: keep one of the two",
        "WATCHER_PASSWORD_FILE: /x cannot be read: No such file or directory",
    )


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", None])
def test_a_secret_file_that_cannot_be_read_is_named(world: World, content: bytes | None) -> None:
    """With the reason."""
    path = world.write("pw", "")
    path.unlink()
    if content:
        path.write_bytes(content)
    reason = "it is not UTF-8 text (line 1): save it as UTF-8" if content else "No such file or directory"
    environ = {"WATCHER_PASSWORD": "", "WATCHER_PASSWORD_FILE": str(path)}
    assert world.problems(environ) == (f"WATCHER_PASSWORD_FILE: pw cannot be read: {reason}",)


def test_an_empty_secret_file_is_a_mistake(world: World) -> None:
    """Somebody forgot to fill it."""
    path = world.write("pw", "\n")
    problems = world.problems({"WATCHER_PASSWORD": "", "WATCHER_PASSWORD_FILE": str(path)})
    assert problems == ("WATCHER_PASSWORD_FILE: is empty",)


@pytest.mark.parametrize(
    ("name", "text", "warns"),
    [
        ("settings.env", "WATCHER_PASSWORD=x\n", True),
        ("settings.env", "WATCHER_KEEP=2d\n", False),
        ("settings.env", "WATCHER_PASSWORD_FILE={pw}\n", False),
        ("watcher.toml", "password='x'\n", True),
        ("watcher.toml", "keep='2d'\n", False),
        ("watcher.toml", "[[channels]]\nname='a'\nurl='json://x'\n", True),
        ("watcher.toml", "[[channels]]\nname='a'\nurl_file='{pw}'\n", False),
        ("watcher.toml", "[[servers]]\nname='a'\nurl='https://x'\npassword='x'\n", True),
        ("watcher.toml", "[[servers]]\nname='a'\nurl='https://x'\n", False),
    ],
)
def test_a_file_with_secrets_that_others_may_read_is_warned_about(
    world: World, name: str, text: str, warns: bool
) -> None:
    """Only if secrets stand in it, and only if others may read it."""
    text = text.format(pw=world.write("pw", "json://y"))
    path = world.write(name, text, mode=0o640)
    expected = (f"{path}: holds secrets and can be read by others than its owner: `chmod 600` it",) if warns else ()
    environ = {} if "[[servers]]" in text or "password" not in text.lower() else {"WATCHER_PASSWORD": ""}
    assert world.load(environ).warnings == expected
    path.chmod(0o600)
    assert world.load(environ).warnings == ()


def test_a_secret_file_that_others_may_read_is_warned_about(world: World) -> None:
    """Credentials are not: systemd sets their mode."""
    path = world.write("pw", "s3cret", mode=0o644)
    settings = world.load({"WATCHER_PASSWORD": "", "WATCHER_PASSWORD_FILE": str(path)})
    assert "can be read by others" in settings.warnings[0]
    world.credential("password", "s3cret")
    (world.credentials / "password").chmod(0o644)
    assert world.load({"WATCHER_PASSWORD": ""}).warnings == ()


def test_commands_that_only_read_need_no_secret(world: World) -> None:
    """Neither a server, nor a login, nor the files of the secrets."""
    world.write("watcher.toml", "[[servers]]\nname='a'\nurl='https://x'\n[[channels]]\nname='b'\n")
    environ = {"WATCHER_PASSWORD_FILE": "/x", "WATCHER_CHANNELS_FILE": "/x", "WATCHER_CA_FILE": "/x"}
    settings = world.bare(environ, need_secrets=False)
    assert [server.name for server in settings.servers] == ["a"]
    assert settings.channels == ()


def test_but_they_do_need_to_know_where_the_database_is(world: World) -> None:
    """A wrong guess would show another database."""
    environ = {"WATCHER_DATABASE_URL_FILE": "/x"}
    assert world.problems(environ, need_secrets=False) == (
        "WATCHER_DATABASE_URL_FILE: /x cannot be read: No such file or directory",
    )


def test_a_usual_file_that_cannot_be_read_is_left_out_by_those_who_only_read(world: World) -> None:
    """It is the service's own then; for the others it is a mistake."""
    (world.etc / "settings.env").mkdir()
    assert world.problems() == ("settings.env: cannot be read: Is a directory",)
    warnings = world.load(need_secrets=False).warnings
    assert tuple(map(world.local, warnings)) == ("settings.env: cannot be read, so it is left out: Is a directory",)


def test_a_login_without_a_password_is_no_secret(world: World) -> None:
    """A server that is switched off may have none; its name is free to appear."""
    world.write("watcher.toml", "[[servers]]\nname='a'\nurl='https://x'\nusername='someone'\nenabled=false\n")
    assert not any("someone" in value for value in world.bare().secret_values())


def test_parts_of_urls_are_secret_but_names_and_hosts_are_not(world: World) -> None:
    """A log without the names of channels and hosts would be of no use."""
    values = world.load(
        {
            "WATCHER_CHANNELS": "alerts=ntfy://push.example.com/alerts t=json://me:pass%40word@host/hidden?to=room42",
            "WATCHER_DATABASE_URL": "postgresql://watcher:dbpass@db/watcher",
        }
    ).secret_values()
    assert {"pass@word", "pass%40word", "hidden", "room42", "me:pass@word", "dbpass"} <= set(values)
    assert not {"alerts", "push.example.com", "host", "watcher", "json", "ntfy"} & set(values)


@pytest.mark.parametrize(
    ("environ", "file", "credential", "warning"),
    [
        (
            {"WATCHER_PASSWORD": "a"},
            None,
            "b",
            f"WATCHER_PASSWORD: {COUNTS} credential password does not",
        ),
        (
            {"WATCHER_PASSWORD": ""},
            "WATCHER_PASSWORD=a\n",
            "b\n",
            f"settings.env:1: WATCHER_PASSWORD: {COUNTS} credential password does not",
        ),
        (
            {"WATCHER_PASSWORD": "a"},
            "WATCHER_PASSWORD=b\n",
            None,
            f"WATCHER_PASSWORD: {COUNTS} settings.env:1: WATCHER_PASSWORD does not",
        ),
        ({"WATCHER_PASSWORD": "a"}, "WATCHER_PASSWORD=a\n", "a\n", None),
        ({"WATCHER_PASSWORD": "a"}, "WATCHER_PASSWORD_FILE=/nowhere\n", None, None),
    ],
)
def test_a_secret_with_two_values_is_warned_about(
    world: World, environ: dict[str, str], file: str | None, credential: str | None, warning: str | None
) -> None:
    """In one line that says which of them counts, and shows neither."""
    if file:
        world.write("settings.env", file)
    if credential:
        world.credential("password", credential)
    settings = world.load(environ)
    found = [world.local(line) for line in settings.warnings if "chmod" not in line]
    assert found == ([f"{warning}: keep one of the two"] if warning else [])
    assert settings.servers[0].password.reveal() == "a"


def test_a_table_that_overrides_the_flat_password_is_no_twin_but_its_credential_is(world: World) -> None:
    """The flat one is for the servers that have none of their own."""
    world.write("watcher.toml", "[[servers]]\nname='HQ'\nurl='https://x'\npassword='own'\n")
    assert world.load().warnings == ()
    world.credential("password-HQ", "other")
    (line,) = world.load().warnings
    place = "watcher.toml: [[servers]] 1: password"
    assert world.local(line) == f"{place}: {COUNTS} credential password-HQ does not: keep one of the two"


def test_the_same_channels_in_other_blanks_are_no_second_value(world: World) -> None:
    """A credential holds them line by line, an env file in one line."""
    world.credential("channels", "a=json://h/a\nb=json://h/b\n")
    assert world.load({"WATCHER_CHANNELS": "a=json://h/a b=json://h/b"}).warnings == ()
    assert len(world.load({"WATCHER_CHANNELS": "a=json://h/a"}).warnings) == 1
