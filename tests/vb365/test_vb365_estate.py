"""What a server says of itself: every version, every part by itself."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest

from tests.vb365.vb365_script import HASTE, NOW, Clock, Script, html, memory, page
from watcher.core.model import JOB_KINDS, JobType, LookFailed, Memory, Schedule
from watcher.core.watchdog.survey import Health, License, Part, Parts, Proxy, Repository
from watcher.demo.faults import Faults
from watcher.demo.quirks import Quirks
from watcher.demo.server import create_app
from watcher.demo.world import World
from watcher.vb365.access import Access
from watcher.vb365.decode import UnreadableError
from watcher.vb365.estate_rows import read_bucket, read_health, read_license, read_proxy, read_repository
from watcher.vb365.job_row import read_copy_job, read_job
from watcher.vb365.server import Server

VERSIONS = ("v3", "v4", "v5", "v6", "v7", "v8")
TERABYTE = 1024**4


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def standing(version: str, world: World, faults: Faults | None = None) -> Server:
    """Return a client of the stand-in."""
    clock = Clock()
    app = create_app(world, now=clock, versions=[version], faults=faults)
    access = Access("vbo", "http://vbo.example", world.account.username, world.account.password)
    return Server(access, now=clock, transport=httpx.ASGITransport(app), patience=HASTE)


async def surveyed(server: Server, *parts: Part) -> Parts:
    await server.look(Memory(NOW))
    return await server.survey(parts or tuple(Part))


@pytest.mark.parametrize("version", VERSIONS)
async def test_every_version_says_it_in_its_own_shape(version: str) -> None:
    """Arrays up to v7, pages on v8; object storages in a listing of their own, or nested."""
    world = World()
    lost = world.add_proxy("proxy-02")
    world.proxies[lost] = replace(world.proxies[lost], online=False)
    bucket = world.add_repository("Bucket", lost, object_storage=True)
    world.repositories[bucket] = replace(world.repositories[bucket], free=TERABYTE // 2, invalid="no access")
    world.license = replace(world.license, expires=NOW + timedelta(days=9), used=501)
    found = await surveyed(standing(version, world))
    assert [(one.name, one.is_online) for one in found.read[Part.PROXIES]] == [("proxy-01", True), ("proxy-02", False)]
    listed = {one.name: one for one in (*found.read[Part.REPOSITORIES], *found.read.get(Part.BUCKETS, ()))}
    assert (listed["Disk 01"].total, listed["Disk 01"].free) == (8 * TERABYTE, 3 * TERABYTE)
    if version != "v3":  # it has no listing of them
        assert (listed["Bucket"].total, listed["Bucket"].free) == (8 * TERABYTE, TERABYTE // 2)
    held = found.read[Part.LICENSE]
    assert (held.expires, held.total, held.used) == (NOW + timedelta(days=9), 500, 501)
    assert held.grace_ends == (NOW + timedelta(days=39) if version >= "v7" else None)
    assert (Part.HEALTH in found.read) == (version == "v8")
    assert found.absent == {Part.HEALTH} - found.read.keys() | ({Part.BUCKETS} if version == "v3" else set())
    if version == "v8":
        assert (listed["Bucket"].is_invalid, listed["Bucket"].why) == (True, "no access")


async def test_pages_of_v8_are_read_to_their_end() -> None:
    """Its default is thirty rows."""
    world = World()
    for number in range(2, 43):
        world.add_proxy(f"proxy-{number:02d}")
    found = await surveyed(standing("v8", world, Faults(Quirks(page_cap=20))), Part.PROXIES)
    assert len(found.read[Part.PROXIES]) == 42


@pytest.mark.parametrize("status", [200, 503])
async def test_an_ill_server_may_say_so_with_a_503(status: int) -> None:
    """It is an answer all the same, and asked for once."""
    world = World()
    world.unhealthy = {"nats": "no connection", "configurationDb": ""}
    server = standing("v8", world, Faults(Quirks(health_status=status)))
    found = await surveyed(server, Part.HEALTH)
    assert found.read[Part.HEALTH] == Health(is_healthy=False, ills=("configurationdb", "nats (no connection)"))


async def test_a_503_of_something_in_between_says_nothing_of_health() -> None:
    """A proxy's page is no report."""
    script = Script()
    script.on("GET /v8/Health", html(503))
    found = await surveyed(script.server(), Part.HEALTH)
    assert found == Parts()


@pytest.mark.parametrize("path", ["Proxies", "BackupRepositories", "License", "Health"])
@pytest.mark.parametrize("status", [200, 403, 404, 500])
async def test_one_part_that_fails_costs_only_itself(path: str, status: int) -> None:
    """And no look; a 404 means that it is not served."""
    world, faults = World(), Faults()
    server = standing("v8", world, faults)
    await server.look(Memory(NOW))
    faults.fail(status, path=f"/{path}$", times=None)
    found = await server.survey(tuple(Part))
    missing = {"Proxies": "proxies", "BackupRepositories": "repositories", "License": "license", "Health": "health"}[
        path
    ]
    assert {Part(missing)} == set(Part) - found.read.keys()
    assert found.absent == ({Part(missing)} if status == 404 else set())
    await server.look(Memory(NOW))


async def test_a_server_that_is_gone_is_asked_once() -> None:
    """Not for each part."""
    script = Script()
    server = script.server()
    await server.look(memory())
    script.seen.clear()
    for name in ("Health", "Proxies", "BackupRepositories", "License"):
        script.on(f"GET /v8/{name}", httpx.ConnectError("refused"))
    assert await server.survey((Part.PROXIES, Part.REPOSITORIES, Part.LICENSE)) == Parts()
    assert {request.url.path for request in script.seen} == {"/v8/Proxies"}


async def test_nothing_is_asked_before_a_look() -> None:
    """There is no login yet."""
    script = Script()
    assert await script.server().survey(tuple(Part)) == Parts()
    assert script.seen == []


def raw(**fields: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(fields))


NULLS: dict[str, None] = dict.fromkeys(
    (
        *("id", "hostName", "status", "maintenanceModeState", "name", "proxyId", "entries"),
        *("capacityBytes", "freeSpaceBytes", "isOutOfOrder", "objectStorage"),
        *("sizeLimitEnabled", "sizeLimitGB", "usedSpaceBytes"),
        *("licenseID", "licenseExpires", "totalNumber", "usedNumber"),
    )
)


def test_any_value_may_be_null() -> None:
    """The manuals say otherwise; servers do it."""
    assert read_proxy(raw(**NULLS)) == Proxy("", "")
    assert read_repository(raw(**NULLS)) == Repository("", "")
    assert read_bucket(raw(**NULLS)) == Repository("", "")
    assert read_license(bytes(raw(**NULLS))) == License("license")
    assert read_health(b'{"status":"Unhealthy","entries":null}') == Health(is_healthy=False)
    for odd in (b"null", b"[]", b"{}", b'{"status":"Fine"}'):
        with pytest.raises(UnreadableError):
            read_health(odd)


@pytest.mark.parametrize(
    ("row", "total", "free"),
    [
        ({"capacityBytes": 1000, "freeSpaceBytes": 0}, 1000, 0),
        ({"capacity": 1000, "freeSpace": 5}, 1000, 5),
        ({"capacityBytes": 1000, "freeSpaceBytes": 1, "objectStorageId": "o1"}, None, None),  # that is its cache
        ({"capacityBytes": 1000, "freeSpaceBytes": 1, "objectStorage": {"sizeLimitEnabled": False}}, None, None),
        (
            {"objectStorage": {"sizeLimitEnabled": True, "sizeLimitGB": 10, "usedSpaceBytes": 11 * 1024**3}},
            10 * 1024**3,
            0,
        ),
        ({"objectStorage": {"sizeLimitEnabled": True, "sizeLimitGB": 1, "freeSpaceBytes": 7}}, 1024**3, 7),
    ],
)
def test_percent_means_something_of_a_disk_or_of_a_limit(row: dict[str, Any], total: int, free: int) -> None:
    """Not of a cache, nor of a bucket without a bottom."""
    found = read_repository(raw(id="r1", **row))
    assert (found.total, found.free) == (total, free)


OPEN_ALL, SHUT_DAYS = [True] * 168, [*([True] * 8), *([False] * 10), *([True] * 6)] * 7


@pytest.mark.parametrize(
    ("policy", "schedule"),
    [
        ({"type": "Daily", "dailyType": "Workdays", "scheduleEnabled": False}, Schedule("daily", "workdays")),
        ({"type": "daily"}, Schedule("daily", "everyday")),
        (
            {"type": "Periodically", "periodicallyEvery": "Hours4", "scheduleEnabled": True},
            Schedule("periodically", every=timedelta(hours=4)),
        ),
        (
            {"type": "Periodically", "periodicallyEvery": "Minutes5", "scheduleEnabled": None},
            Schedule("periodically", every=timedelta(minutes=5)),
        ),
        ({"type": "Periodically", "periodicallyEvery": "Hours4", "scheduleEnabled": False}, Schedule("manual")),
        ({"type": "Periodically", "periodicallyEvery": "Now and then"}, Schedule("periodically")),
        ({"type": "ManualOnly"}, Schedule("manual")),
        ({"type": "Sometimes"}, None),
        ({"type": None}, None),
        (
            {"type": "Daily", "backupWindowEnabled": True, "backupWindowSettings": {"backupWindow": SHUT_DAYS}},
            Schedule("daily", "everyday", closed=timedelta(hours=10)),
        ),
        (
            {"type": "Daily", "backupWindowEnabled": False, "backupWindowSettings": {"backupWindow": SHUT_DAYS}},
            Schedule("daily", "everyday"),
        ),
        (
            {  # v6 has no switch for it
                "type": "Periodically",
                "periodicallyEvery": "Hours1",
                "periodicallyWindowSettings": {"backupWindow": [False, False, *OPEN_ALL[3:], False]},
            },
            Schedule("periodically", every=timedelta(hours=1), closed=timedelta(hours=3)),
        ),
        (
            {"type": "Daily", "backupWindowEnabled": True, "backupWindowSettings": {"backupWindow": [False] * 168}},
            Schedule("daily", "everyday"),
        ),
        (
            {"type": "Daily", "backupWindowEnabled": True, "backupWindowSettings": {"backupWindow": None}},
            Schedule("daily", "everyday"),
        ),
    ],
)
def test_a_schedule_is_read(policy: dict[str, Any], schedule: Schedule | None) -> None:
    """With the longest stretch in which its window is shut, over the end of the week."""
    assert read_job(raw(id="j1", schedulePolicy=policy)).job.schedule == schedule


def test_a_copy_job_says_it_in_other_words() -> None:
    """Daily at a time, or whenever there is something to copy."""
    daily = {"type": "DailyAtTime", "dailyType": "Weekends"}
    assert read_copy_job(raw(id="c1", schedulePolicy=daily)).job.schedule == Schedule("daily", "weekends")
    assert read_copy_job(raw(id="c1", schedulePolicy={"type": "Immediate"})).job.schedule == Schedule("immediate")


async def test_jobs_are_read_anew_when_somebody_wants_it() -> None:
    """Once, with the next look, and without the organizations; when they were read is known."""
    script = Script()
    script.on("GET /v8/Jobs", page({"id": "j1", "name": "Mail"}))
    script.on("GET /v8/CopyJobs", page())
    script.on("GET /v8/Organizations", page())
    server = script.server()
    await server.look(memory())
    assert server.jobs_read() == dict.fromkeys(JOB_KINDS, script.clock.time)
    script.clock.move(minutes=5)
    server.want_jobs()
    script.seen.clear()
    await server.look(memory())
    await server.look(memory())
    assert len([line for line in script.asked("GET /v8/Jobs") if "offset=0" in line]) == 1
    assert script.asked("GET /v8/Organizations") == []
    assert server.jobs_read() == dict.fromkeys(JOB_KINDS, script.clock.time)
    script.clock.move(minutes=5)
    server.want_jobs()
    script.on("GET /v8/Jobs", 500)
    await server.look(memory())
    assert server.jobs_read()[JobType.BACKUP] == script.clock.time - timedelta(minutes=5)
    assert server.jobs_read()[JobType.COPY] == script.clock.time


async def test_a_look_after_a_survey_fails_as_before() -> None:
    """A 503 is an answer for Health only."""
    faults = Faults()
    server = standing("v8", World(), faults)
    await surveyed(server)
    faults.fail(503, times=None)
    with pytest.raises(LookFailed):
        await server.look(Memory(NOW))
