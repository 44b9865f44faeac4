"""What v6 lets be known of retries: it counts them, and its jobs say how many there are."""

from typing import Any

import pytest

from tests.vb365.vb365_script import Script, linked, memory, page

JOBS = [{"id": "job-1", "schedulePolicy": {"retryEnabled": True, "retryNumber": 3}}, {"id": "job-2"}]


@pytest.mark.parametrize(
    ("version", "fields", "verdict"),
    [
        ("v6", {"retryCount": 0}, True),
        ("v6", {"retryCount": 2}, True),
        ("v6", {"retryCount": 3}, False),
        ("v6", {"retryCount": 0, "job": "job-2"}, False),
        ("v6", {}, None),
        ("v7", {"retryCount": 0, "jobWillBeRetried": False}, False),
        ("v7", {"retryCount": 3, "jobWillBeRetried": True}, True),
        ("v5", {}, None),
    ],
)
async def test_a_bad_end_says_whether_it_will_be_retried(version: str, fields: dict[str, Any], verdict: Any) -> None:
    """v7 and v8 say so themselves, v6 is worked out, and before that each session stands for itself."""
    script = Script([version])
    script.on(f"GET /{version}/Jobs", JOBS)
    given = linked("a", "Failed", **fields)
    given = {key: value for key, value in given.items() if key != "jobWillBeRetried" or key in fields}
    script.on(f"GET /{version}/JobSessions", page(given))
    look = await script.server().look(memory())
    assert look.sessions[0].will_be_retried is verdict


async def test_a_good_end_is_not_retried() -> None:
    """Whatever the job would allow."""
    script = Script(["v6"])
    script.on("GET /v6/Jobs", JOBS)
    script.on("GET /v6/JobSessions", page(linked("a", "Success", retryCount=0)))
    assert not (await script.server().look(memory())).sessions[0].will_be_retried
