"""What is seen below Apprise, and what is not."""

import gzip
import logging

import pytest
import requests

from tests.channels.receivers import Answer, Misdeed, nobody, receiving
from watcher.channels.witness import LARGEST_ANSWER, Answered, MailRefused, muffle, watching

LOG = logging.getLogger("apprise")


def failing_with(problem: Exception) -> None:
    """Do what a plugin does with an exception: write a line while it is handled."""
    try:
        raise problem  # noqa: TRY301 - the line has to be written while it is handled
    except Exception:  # noqa: BLE001 - as plugins do
        LOG.debug("Socket Exception: %s", "SECRET")


def test_answers_are_seen_in_order() -> None:
    """Each answer counts, with its `Retry-After`."""
    with receiving(Answer(404), Answer(429, (("Retry-After", "5"),))) as receiver, watching() as seen:
        for _ in range(2):
            requests.get(f"http://127.0.0.1:{receiver.port}/", timeout=5)
    assert seen == [Answered(404), Answered(429, "5")]


@pytest.mark.parametrize("step", [Misdeed.ENDLESS, Misdeed.MUCH])
def test_an_answer_has_an_end(step: Misdeed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its status has said it all; what never ends is not listened to for ever, and not kept."""
    monkeypatch.setattr("watcher.channels.witness.REST_WITHIN", 0.3)
    with receiving(step) as receiver, watching() as seen:
        answer = requests.get(f"http://127.0.0.1:{receiver.port}/", timeout=5)
    assert seen == [Answered(200)]
    assert set(answer.text) == {"x"}
    assert len(answer.content) <= 2 * LARGEST_ANSWER


def test_an_answer_is_as_it_was() -> None:
    """Plugins read it as ever, packed or not."""
    packed = gzip.compress(b'{"id": "7"}')
    steps = (Answer(body=b'{"id": 7}'), Answer(201, (("Content-Encoding", "gzip"),), packed), Answer(202, body=b""))
    with receiving(*steps) as receiver, watching(), requests.Session() as session:
        url = f"http://127.0.0.1:{receiver.port}/"
        assert session.get(url, timeout=5).json() == {"id": 7}
        assert session.get(url, timeout=5).json() == {"id": "7"}
        assert session.get(url, timeout=5).content == b""
        assert receiver.connections == 1


def test_one_failure_is_seen_once() -> None:
    """An exception that passes through requests and is written of by the plugin is one sight."""
    with nobody() as port, watching() as seen:
        try:
            requests.get(f"http://127.0.0.1:{port}/", timeout=5)
        except requests.RequestException:
            LOG.warning("A Connection error occurred sending to %s", "SECRET")
            LOG.debug("Socket Exception: %s", "SECRET")
    assert [type(sight) for sight in seen] == [requests.ConnectionError]


@pytest.mark.parametrize(
    "problem", [requests.exceptions.JSONDecodeError("no JSON", "<html>", 0), ValueError("no JSON"), KeyError("error")]
)
def test_an_answer_that_is_no_json_is_no_failure(problem: Exception) -> None:
    """Plugins look into the answers of failures; that these are not what they hoped for says nothing."""
    with watching() as seen:
        failing_with(problem)
    assert seen == []


def test_what_other_libraries_raise_is_seen() -> None:
    """Any failure of a connection is seen by the line that is written of it."""
    problem = ConnectionResetError()
    with watching() as seen:
        failing_with(problem)
    assert seen == [problem]


def test_a_refused_copy_is_seen() -> None:
    """A recipient refused among others has only a line, with its code."""
    with watching() as seen:
        LOG.warning("SMTP recipient %s was refused: %s %s", "SECRET", 550, b"no")
    assert seen == [MailRefused(550)]


def test_nothing_is_seen_afterwards() -> None:
    """What happens after a send, or in another one, is not its affair."""
    with receiving() as receiver:
        with watching() as first:
            pass
        requests.get(f"http://127.0.0.1:{receiver.port}/", timeout=5)
        failing_with(ConnectionResetError())
        with watching() as second:
            pass
    assert (first, second) == ([], [])


def test_the_log_of_apprise_ends_here(caplog: pytest.LogCaptureFixture) -> None:
    """No handler gets a record of it, at any level, even one put on its logger later."""
    muffle()
    LOG.addHandler(caplog.handler)
    try:
        for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL):
            LOG.log(level, "SECRET")
    finally:
        LOG.removeHandler(caplog.handler)
    assert caplog.text == ""


def test_installing_twice_changes_nothing() -> None:
    """However often it is asked for, a request is seen once and the log is heard once."""
    muffle()
    muffle()
    with receiving() as receiver, watching() as seen:
        requests.get(f"http://127.0.0.1:{receiver.port}/", timeout=5)
    assert seen == [Answered(200)]
    assert len(LOG.filters) == 1
