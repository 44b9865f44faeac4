"""What is about to break."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.watchdog_facts import DAY, HOUR, MINUTE, NOW, Kennel
from watcher.core.watchdog.estate import parts_of
from watcher.core.watchdog.limits import Limits, Rulebook
from watcher.core.watchdog.survey import Health, License, Part, Proxy, Repository, Survey

OFFLINE = Survey(proxies=(Proxy("p1", "proxy-01", is_online=False),))
ONLINE = Survey(proxies=(Proxy("p1", "proxy-01", is_online=True),))


def disk(percent: float, **fields: object) -> Survey:
    return Survey(repositories=(Repository("r1", "Vault", 1000, int(percent * 10), **fields),), buckets=())  # type: ignore[arg-type]


def licensed(days: float | None, **fields: object) -> Survey:
    expires = NOW + days * DAY if days is not None else None
    return Survey(license=License("l1", expires=expires, **fields))  # type: ignore[arg-type]


def test_a_proxy_is_told_after_five_minutes() -> None:
    """A restart takes less."""
    kennel = Kennel()
    assert kennel.kinds(survey=OFFLINE) == []
    assert kennel.kinds(NOW + 4 * MINUTE, survey=OFFLINE) == []
    assert kennel.kinds(NOW + 5 * MINUTE, survey=OFFLINE) == ["proxy.offline"]
    assert kennel.kinds(NOW + 6 * MINUTE, survey=Survey()) == []  # it could not be asked for
    assert kennel.kinds(NOW + HOUR, survey=ONLINE) == ["proxy.offline.recovered"]


@pytest.mark.parametrize(
    "proxy",
    [
        Proxy("p1", "proxy-01", is_online=False, in_maintenance=True),
        Proxy("p1", "proxy-01", is_online=None),
        Proxy("p1", "proxy-01", is_online=True),
    ],
)
def test_maintenance_is_on_purpose_and_an_unknown_state_is_none(proxy: Proxy) -> None:
    """However long it lasts."""
    kennel = Kennel()
    for hour in range(5):
        assert kennel.kinds(NOW + hour * HOUR, survey=Survey(proxies=(proxy,))) == []


def test_a_proxy_that_is_removed_is_missed_by_nobody() -> None:
    """That is told as the end of it."""
    kennel = Kennel()
    kennel.judge(survey=OFFLINE)
    kennel.judge(NOW + HOUR, survey=OFFLINE)
    other = Survey(proxies=(Proxy("p2", "proxy-02", is_online=True),))
    (event,) = kennel.judge(NOW + 2 * HOUR, survey=other)
    assert (event.type, event.reason) == ("proxy.offline.recovered", "it is not there any more")


def test_a_repository_is_told_at_ten_and_at_five_percent() -> None:
    """And out of danger above twelve."""
    kennel = Kennel()
    story = [
        (10, []),
        (9.9, ["repository.low"]),
        (10.5, []),
        (9.5, []),
        (4.9, ["repository.low"]),
        (7, []),
        (4, []),
        (11.9, []),
        (12, ["repository.low.recovered"]),
        (9, ["repository.low"]),
    ]
    for hour, (percent, kinds) in enumerate(story):
        assert kennel.kinds(NOW + hour * HOUR, survey=disk(percent)) == kinds, percent


@given(st.lists(st.floats(9.0, 11.9), max_size=50))
def test_free_space_at_the_edge_is_told_once(percents: list[float]) -> None:
    """However it goes up and down."""
    kennel = Kennel()
    told = [kennel.kinds(NOW + number * HOUR, survey=disk(one)) for number, one in enumerate(percents)]
    assert sum(len(kinds) for kinds in told) <= 1


def test_a_repository_without_a_size_has_no_percent() -> None:
    """An object storage without a limit, or a cache."""
    odd = Repository("r3", "Odd", -1, 5)
    bucket = Survey(
        repositories=(Repository("r1", "Bucket", None, None), Repository("r2", "Zero", 0, 0), odd), buckets=()
    )
    assert Kennel().kinds(survey=bucket) == []


def test_an_object_storage_has_a_listing_of_its_own_before_v8() -> None:
    """Without it nobody can say that one is gone."""
    bucket = (Repository("b1", "Bucket", 1000, 20),)
    kennel = Kennel()
    assert kennel.kinds(survey=Survey(repositories=(), buckets=bucket)) == ["repository.low"]
    assert kennel.kinds(NOW + HOUR, survey=Survey(repositories=())) == []
    assert kennel.kinds(NOW + HOUR, survey=Survey(repositories=(), buckets=())) == ["repository.low.recovered"]


def test_an_invalid_repository_is_told_unless_its_proxy_is_away() -> None:
    """That is told as such."""
    bad = disk(50, is_invalid=True, why="no access", proxy_id="p1")
    kennel = Kennel()
    kennel.judge(survey=bad)
    (event,) = kennel.judge(NOW + 10 * MINUTE, survey=bad)
    assert event.type == "repository.invalid"
    assert event.reason == "nothing can be backed up to it or restored from it: no access"
    both = Survey(proxies=OFFLINE.proxies, repositories=bad.repositories, buckets=())
    kennel = Kennel()
    kennel.judge(survey=both)
    assert kennel.kinds(NOW + HOUR, survey=both) == ["proxy.offline"]


def test_an_ill_server_is_told_with_what_is_ill() -> None:
    """And that it is well again, as its recovery."""
    ill = Survey(health=Health(is_healthy=False, ills=("nats (no connection)",)))
    kennel = Kennel()
    kennel.judge(survey=ill)
    (event,) = kennel.judge(NOW + 5 * MINUTE, survey=ill)
    assert (event.type, event.reason) == (
        "server.unhealthy",
        "it says that it is not healthy: nats (no connection)",
    )
    assert kennel.kinds(NOW + HOUR, survey=Survey(health=Health(is_healthy=True))) == ["server.recovered"]


def test_a_license_is_told_at_each_limit_and_when_it_has_ended() -> None:
    """Thirty days, fourteen, seven, one, the end, the end of the grace period; and that it was renewed."""
    kennel, told = Kennel(), {}
    held = licensed(31, grace_ends=NOW + 61 * DAY)
    for hour in range(70 * 24):
        for event in kennel.judge(NOW + hour * HOUR, survey=held):
            told[hour / 24] = event.reason
    assert list(told) == [1, 17, 24, 30, 31, 61]
    assert told[1] == "the license ends in 30 days"
    assert told[30] == "the license ends in a day"
    assert told[31] == "the license has ended; in 30 days its grace period ends, and all scheduled jobs fail"
    assert told[61] == "the license and its grace period have ended: all scheduled jobs fail"
    assert kennel.kinds(NOW + 70 * DAY, survey=licensed(365)) == ["license.expiring.recovered"]


def test_first_contact_tells_of_a_license_once() -> None:
    """With how long it still holds, whatever limits were passed before."""
    kennel = Kennel()
    (event,) = kennel.judge(survey=licensed(5))
    assert event.reason == "the license ends in 5 days"
    assert kennel.said.until == NOW + 4 * DAY


@pytest.mark.parametrize(
    ("survey", "kinds"),
    [
        (licensed(None), []),  # a community edition
        (licensed(None, is_expired=True), ["license.expiring"]),
        (licensed(300, total=100, used=100), []),
        (licensed(300, total=100, used=101), ["license.expiring"]),
        (licensed(300, total=0, used=5), []),
        (licensed(3, total=100, used=101), ["license.expiring", "license.expiring"]),
    ],
)
def test_other_ends_of_a_license(survey: Survey, kinds: list[str]) -> None:
    """It may have none, and more may be used than was bought."""
    assert Kennel().kinds(survey=survey) == kinds


def test_only_what_a_rule_asks_for_is_read() -> None:
    """A limit of nothing is one, too: it means at once."""
    assert parts_of(Limits()) == set(Part)
    assert parts_of(Limits(unhealthy_after=timedelta(0))) == set(Part)
    assert parts_of(Limits(license_days=(), repository_low=())) == {Part.HEALTH, Part.PROXIES, Part.REPOSITORIES}


def test_each_rule_can_be_switched_off() -> None:
    """Then nothing is told, and what was told before is over."""
    off = Limits(
        unhealthy_after=None,
        proxy_offline_after=None,
        repository_invalid_after=None,
        repository_low=(),
        license_days=(),
    )
    all_bad = Survey(
        Health(is_healthy=False),
        OFFLINE.proxies,
        (Repository("r1", "Vault", 1000, 1, is_invalid=True),),
        (),
        License("l1", is_expired=True, total=1, used=2),
    )
    kennel = Kennel(Rulebook(off))
    for hour in range(3):
        assert kennel.kinds(NOW + hour * HOUR, survey=all_bad) == []
    loud = Kennel()
    loud.judge(survey=all_bad)
    assert len(loud.judge(NOW + timedelta(hours=1), survey=all_bad)) == 3
    loud.rulebook = Rulebook(off)
    assert len(loud.judge(NOW + timedelta(hours=2), survey=all_bad)) == 6
    assert loud.alarms == {}
