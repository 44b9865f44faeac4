"""What the loops did, in the log."""

import logging

import pytest

from watcher.core.model import JobType
from watcher.daemon.telling import Telling
from watcher.watch import Report
from watcher.web.metrics import Metrics


def test_two_watchers_that_differ_are_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    """With what they differ in, and the mend."""
    caplog.set_level(logging.INFO)
    report = Report("HQ", forgotten=frozenset({JobType.RESTORE, JobType.COPY}))
    Telling(Metrics()).look(report, 0.1, 30.0)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.message == (
        "HQ: another watcher on this database does not watch copy, restore, and had it forgotten; it is put back: "
        "give both the same WATCHER_WATCH"
    )
