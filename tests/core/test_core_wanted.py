"""The words of `notify_on`."""

import pytest

from watcher.core.wanted import DEFAULT_NOTIFY_ON, EVENTS, UnknownWordError, events_named


def test_the_default_is_all_but_success_and_started() -> None:
    """By default a recovery is told, a plain success is not."""
    events = events_named(DEFAULT_NOTIFY_ON)

    assert EVENTS - events == {"session.success", "session.started"}


def test_success_names_every_good_end() -> None:
    """`success` includes recoveries, `recovered` is only them."""
    assert events_named(["success"]) == {"session.success", "job.recovered"}
    assert events_named(["recovered"]) == {"job.recovered"}


def test_what_is_named_is_the_whole_list() -> None:
    """A word, a single event, any case; nothing else comes with it."""
    assert events_named(["Failed", "job.slow"]) == {"session.failed", "job.slow"}
    assert events_named(["all"]) == EVENTS


@pytest.mark.parametrize(("word", "near"), [("faild", "failed"), ("job.slw", "job.slow"), ("ALLL", "all")])
def test_an_unknown_word_names_the_nearest(word: str, near: str) -> None:
    """A misspelt word is a mistake that names what was probably meant."""
    with pytest.raises(UnknownWordError, match=f"did you mean `{near}`"):
        events_named([word])
