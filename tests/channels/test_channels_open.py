"""What a channel's URL comes to: an address to show, destinations, a style, or one clear line."""

import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC

import pytest

from watcher.channels import BadChannel, open_channel
from watcher.channels.plugin import native_format, plan, style_of
from watcher.core.event import Event, JobRef
from watcher.core.render import Format, Style, render

SLACK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
TWILIO = "twilio://AC123456789012345678901234567890ab:token12345678901234567890123456@+15551234567"
DISCORD = f"discord://{'1' * 24}/{'a' * 64}"


@pytest.mark.parametrize(
    ("url", "address", "targets"),
    [
        ("json://u:p@h:80/path?+X-Key=k", "json://h:80", 1),
        ("ntfy://h.example.com/topic", "ntfy://h.example.com", 1),
        ("ntfy://topic", "ntfy://", 1),
        ("ntfy://127.0.0.1:80/a,b/c", "ntfy://127.0.0.1:80", 3),
        ("ntfy://127.0.0.1:80/a/b?retry=3&wait=1&optional=yes", "ntfy://127.0.0.1:80", 2),
        ("ntfy://127.0.0.1:80/a,a", "ntfy://127.0.0.1:80", 1),
        ("gotify://[::1]:8080/token", "gotify://[::1]:8080", 1),
        ("mailto://u:p@example.com", "mailto://example.com", 1),
        ("mailto://h.example.com?from=a@b.com&to=x@y.com,q@r.com", "mailto://h.example.com", 2),
        ("mailto://h.example.com/x@y.com/q@r.com?from=a@b.com&cc=c@d.com", "mailto://h.example.com", 1),
        ("mailto://h.example.com/x@y.com/q@r.com?from=a@b.com&bcc=c@d.com", "mailto://h.example.com", 1),
        (SLACK, "slack://", 1),
        (f"{SLACK}/#a/#b", "slack://", 2),
        ("https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ", "slack://", 1),
        (DISCORD, "discord://", 1),
        ("tgram://123456789:abcdefg_hijklmnop/12315544/444", "tgram://", 2),
        (f"{TWILIO}/+15551234568/+15551234569", "twilio://", 2),
        (f"pover://{'u' * 30}@{'t' * 30}/dev1/dev2", "pover://", 1),
        ("workflows://prod-1.example.com:443/workflow/signature", "workflows://prod-1.example.com:443", 1),
    ],
)
def test_what_a_url_comes_to(url: str, address: str, targets: int) -> None:
    """Of a URL nothing is shown but scheme, host and port, and no host that is a token; each safe target is one."""
    channel = open_channel("ops", url, zone=UTC)
    assert channel.address == address
    assert len(set(channel.destinations)) == len(channel.destinations) == targets
    for label in channel.destinations:
        assert re.fullmatch(re.escape(address) + ("#[0-9a-f]{8}" if targets > 1 else ""), label)


def test_labels_outlive_restarts_and_new_tokens() -> None:
    """A target keeps its label when others join it, when the token changes, and for ever."""
    first = open_channel("ops", "ntfy://h.example.com/a/b", zone=UTC).destinations
    again = open_channel("ops", "ntfy://tk_new@h.example.com/b/c/a", zone=UTC).destinations
    assert first == ("ntfy://h.example.com#c2d7c0c8", "ntfy://h.example.com#a46d824d")
    assert set(first) < set(again)


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("msteams://SECRET/b/c", "there is no msteams://; use workflows:// instead"),
        ("slak://SECRET/b/c", "there is no slak://; use slack:// instead"),
        ("webhook+htps://SECRET", "there is no webhook+htps://; use webhook+https:// instead"),
        ("qwxyz://SECRET", "there is no qwxyz://; https://appriseit.com/services/ lists the schemes of Apprise"),
        ("https://example.com/SECRET", "https:// is no channel; a webhook is webhook+https://…"),
        ("slack://SECRET", "the rest of the slack:// URL does not hold; https://appriseit.com/services/slack/"),
        ("mailto://", "the rest of the mailto:// URL does not hold"),
        ("mqtt://host/SECRET", "mqtt:// needs paho-mqtt"),
        ("SECRET", "this is no URL"),
        ("", "this is no URL"),
        ("SECRET TOKEN://x", "this is no URL"),
    ],
)
def test_a_bad_url_is_one_clear_line(url: str, text: str) -> None:
    """A channel that cannot be is named with its scheme and the mend, and nothing of the rest is shown."""
    with pytest.raises(BadChannel) as caught:
        open_channel("ops", url, zone=UTC)
    assert str(caught.value).startswith(f"channel ops: {text}")
    assert "SECRET" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "style"),
    [
        ("json://h", Style(Format.TEXT, 30_000, 200)),
        ("json://h?format=markdown", Style(Format.MARKDOWN, 30_000, 200)),
        ("ntfy://h.example.com/t", Style(Format.TEXT, 2000, 200)),
        ("mailto://u:p@example.com", Style(Format.HTML, 30_000, 200, has_tables=True)),
        ("mailto://u:p@example.com?format=text", Style(Format.TEXT, 30_000, 200)),
        ("tgram://123456789:abcdefg_hijklmnop/12315544", Style(Format.HTML, 4096, 0)),
        (SLACK, Style(Format.MARKDOWN, 30_000, 0)),
        (DISCORD, Style(Format.MARKDOWN, 2000, 0)),
        ("mmost://h/token", Style(Format.MARKDOWN, 4000, 0)),
        ("workflows://h:443/workflow/signature", Style(Format.MARKDOWN, 1000, 0)),
    ],
)
def test_the_style_is_that_of_the_service(url: str, style: Style) -> None:
    """Format and limits are the plugin's; where titles are markup too, the title goes into the body."""
    assert style_of(plan("ops", url).targets[0].plugin) == style


@pytest.mark.parametrize(
    ("url", "markup"),
    [
        (SLACK, r"<"),
        ("tgram://123456789:abcdefg_hijklmnop/1", r"<(?!/?b>)|<b>b"),
        (f"{DISCORD}?format=markdown", r"(?<!\\)[<\[\]]"),
    ],
)
def test_no_dialect_brings_markup_back(url: str, markup: str, event: Event) -> None:
    """After Apprise has turned our markup into a service's own, nobody is called and no tag or link of others is in."""
    nasty = replace(event, job=JobRef("1", "@everyone <!here> <@U123> <!channel|x> <b>b</b> [x](http://evil.example)"))
    plugin = plan("ops", url).targets[0].plugin
    body = plugin.dialect_convert(render((nasty,), style_of(plugin), UTC).body, native_format(plugin))
    assert not re.search(markup, body)
    assert not re.search("@(everyone|U123)", body)
    assert "evil.example" in body


@pytest.mark.parametrize(("query", "connect", "read"), [("", 10, 30), ("?cto=3&rto=4", 3, 4)])
def test_timeouts_are_ours_unless_the_url_has_its_own(query: str, connect: float, read: float) -> None:
    """A service gets 10 s to connect and 30 s to answer, or what the URL says; mail has one timeout for both."""
    plugin = plan("ops", f"json://h{query}").targets[0].plugin
    assert (plugin.socket_connect_timeout, plugin.socket_read_timeout) == (connect, read)
    assert plan("ops", "mailto://u:p@example.com").targets[0].plugin.socket_connect_timeout == 30


def test_nothing_heavy_is_imported_before_a_channel_is_opened() -> None:
    """`watcher --help` can name the channels' errors without loading HTTP clients or plugins."""
    code = "import sys, watcher.channels; print(*{'apprise', 'aiohttp', 'requests', 'msgspec'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
