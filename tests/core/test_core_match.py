"""Which events a route or a silence means."""

import pytest

from tests.core.factories import HQ, at
from watcher.core.event import CHANNEL_FAILING, OURSELVES, Event, JobRef
from watcher.core.match import Match, Pattern, pattern, traits
from watcher.core.model import JobType


def event(job: str | None = "HR - Mail", **fields: object) -> Event:
    about = JobRef("j", job, JobType.COPY, "Contoso") if job else None
    return Event("e", "session.failed", HQ, at(1), at(1), job=about, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("words", "name", "fits"),
    [
        (("HR*",), "HR - Mail", True),
        (("hr*",), "HR - Mail", True),
        (("HR",), "HR - Mail", False),
        (("*mail",), "HR - Mail", True),
        (("HR ? Mail",), "HR - Mail", True),
        (("Finance*", "HR*"), "HR - Mail", True),
        (("!HR*",), "HR - Mail", False),
        (("!HR*",), "Finance", True),
        (("HR*", "!HR - M*"), "HR - Mail", False),
        (("[prod]*",), "[Prod] Mail", True),
        (("[prod]*",), "p", False),
        (("a.c",), "abc", False),
        (("*",), "two\nlines", True),
        (("STRASSE",), "straße", True),
        (("!x",), None, True),
        (("*",), None, True),
        (("HR*",), None, False),
    ],
)
def test_words(words: tuple[str, ...], name: str | None, fits: bool) -> None:
    """Stars and question marks, `!` for not, brackets as themselves, whatever the case."""
    assert pattern(words).fits(name) is fits


def test_every_term_has_to_fit_and_the_first_that_does_not_is_the_reason() -> None:
    """Who asks why is told what stood in the way."""
    about = traits(event(), {"site": "Zurich"})
    match = Match((("organization", Pattern(("Contoso",))), ("labels.site", Pattern(("Basel", "Bern")))))
    assert match.why_not(about) == "labels.site is `Zurich`, not `Basel` or `Bern`"
    assert Match((("labels.floor", Pattern(("1",))),)).why_not(about) == "labels.floor is not known, not `1`"
    assert Match(match.terms[:1]).why_not(about) is None
    assert str(Match()) == "everything"


def test_what_can_be_asked() -> None:
    """Server, labels, organization, job, its type, event and severity; of our own events no server."""
    assert traits(event(), {"site": "Zurich"}) == {
        "server": "HQ",
        "organization": "Contoso",
        "job": "HR - Mail",
        "job_type": "copy",
        "event": "session.failed",
        "severity": "failure",
        "labels.site": "Zurich",
    }
    ours = traits(Event("e", CHANNEL_FAILING, OURSELVES, at(1), at(1), channel="ops"), {})
    assert (ours["server"], ours["job"], ours["severity"]) == (None, None, "warning")
