"""How many messages each service takes before it complains, for channels whose settings do not say."""

from datetime import timedelta

from watcher.core.pace import Rate

_MINUTE = timedelta(minutes=1)
UNLIMITED = Rate(0, timedelta(seconds=1))
USUAL = Rate(60, _MINUTE)
_PROGRAMS = {"json", "jsons", "xml", "xmls", "form", "forms", "apprise", "apprises"}
_RATES = {
    "tgram": Rate(20, _MINUTE),  # core.telegram.org/bots/faq: 20 messages a minute to the same group
    "discord": Rate(30, _MINUTE),  # discord.com/developers/docs/topics/rate-limits: 30 a minute to one webhook
    "slack": Rate(60, _MINUTE),  # docs.slack.dev/apis/web-api/rate-limits: one a second
    "workflows": Rate(60, _MINUTE),
    "mailto": Rate(30, _MINUTE),
    "mailtos": Rate(30, _MINUTE),
    "pagerduty": Rate(60, _MINUTE),
    "twilio": Rate(60, _MINUTE),  # one a second from a long code
    "ntfy": Rate(12, _MINUTE),  # docs.ntfy.sh/config, rate limiting: a token every 5 s
    "ntfys": Rate(12, _MINUTE),
}


def is_for_programs(url: str) -> bool:
    """Whether a channel is one of our own webhooks, which carry events and not messages."""
    return url.strip().lower().startswith(("webhook+http://", "webhook+https://"))


def usual_rate(url: str) -> Rate:
    """Return the rate for a channel that has none of its own; programs are not limited."""
    scheme = url.strip().partition("://")[0].lower()
    if is_for_programs(url) or scheme in _PROGRAMS:
        return UNLIMITED
    return _RATES.get(scheme, USUAL)
