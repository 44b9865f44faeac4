"""How many messages a service takes where the settings do not say."""

import pytest

from watcher.channels.rates import usual_rate


@pytest.mark.parametrize(
    ("url", "tokens"),
    [
        ("webhook+https://h/x", 0),
        ("WEBHOOK+HTTP://h/x", 0),
        ("json://h", 0),
        ("apprises://h/token", 0),
        ("tgram://token/1", 20),
        ("mailtos://u:p@h", 30),
        ("pover://u@t", 60),
    ],
)
def test_programs_are_not_limited_and_services_are(url: str, tokens: int) -> None:
    """The contract's list, and what services say of themselves."""
    assert usual_rate(url).tokens == tokens
