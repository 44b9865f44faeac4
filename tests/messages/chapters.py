"""The lives that docs/messages.md tells: a night, a storm, a week of reminders, a patch day."""

from datetime import time, timedelta

from tests.messages.life import FAILED, LINES, SKIPPED, USUAL, ZURICH, Life
from watcher.core.match import Match, pattern
from watcher.core.policy import Quiet, Route
from watcher.core.render.style import Severity
from watcher.core.silence import Silence
from watcher.core.window import Window

NIGHT = (Window(time(22), time(7), ZURICH),)
WAIT = timedelta(seconds=10)
QUIET = Quiet(NIGHT)


async def a_night() -> Life:
    """Three jobs fail in quiet hours, two are good again before the morning; a pager is woken all the same."""
    chat = Route("chat", USUAL, channels=("ops",), group_wait=WAIT, quiet=QUIET)
    pager = Route("pager", USUAL, match=_of("Mail of the board"), channels=("pager",))
    life = Life("2026-03-03 20:00", pager, chat, rooms=("ops", "pager"))
    await life.ends("2026-03-03 21:00", "Mail of the board", "Success")
    await life.ends("2026-03-03 23:10", "Sites", "Failed", FAILED)
    await life.ends("2026-03-03 23:40", "Mail of the board", "Failed", FAILED)
    await life.ends("2026-03-04 00:30", "Teams", "Warning", SKIPPED)
    await life.ends("2026-03-04 01:10", "OneDrive", "Failed", FAILED)
    await life.ends("2026-03-04 03:10", "Sites", "Success")
    await life.ends("2026-03-04 03:40", "Mail of the board", "Success")
    await life.until("2026-03-04 07:30")
    return life


async def a_storm() -> Life:
    """The repository is gone: five hundred jobs fail within a few seconds."""
    life = Life("2026-03-03 02:00", Route("all", USUAL, group_wait=WAIT))
    await life.pass_by()
    for second in range(5):
        life.now += timedelta(seconds=1)
        for number in range(100):
            status = "Failed" if number % 5 else "Warning"
            life.end(f"Tenant {second * 100 + number:03d} - Mail", status, LINES[status])
        await life.pass_by()
    for _ in range(30):
        life.now += timedelta(seconds=1)
        await life.pass_by()
    return life


async def a_week() -> Life:
    """One job runs once a week and fails, another fails each night; reminders come each day, three at the most."""
    route = Route("all", USUAL, group_wait=WAIT, remind_every=timedelta(days=1), remind_at_most=3)
    life = Life("2026-03-01 00:00", route)
    await life.ends("2026-03-01 01:10", "Archive", "Success")
    await life.ends("2026-03-02 01:10", "Archive", "Failed", FAILED)
    for day in range(3, 7):
        await life.ends(f"2026-03-0{day} 03:00", "HR - Mail", "Failed", FAILED)
    await life.ends("2026-03-07 03:00", "HR - Mail", "Success")
    await life.ends("2026-03-09 01:10", "Archive", "Success")
    await life.until("2026-03-09 02:00")
    return life


async def a_patch_day() -> Life:
    """During a silence four jobs fail; two are good again when it ends, and nobody hears of those."""
    life = Life("2026-03-07 08:00")
    await life.ends("2026-03-07 08:30", "HR - Mail", "Failed", FAILED)
    life.silence(Silence(Match(), ends=life.local("2026-03-07 14:00"), author="ann", reason="patch day"))
    for job in ("Sites", "Teams", "OneDrive", "Groups"):
        life.end(job, "Failed", FAILED)
    await life.ends("2026-03-07 10:00", "HR - Mail", "Success")
    await life.ends("2026-03-07 12:00", "Sites", "Success")
    await life.ends("2026-03-07 12:30", "Teams", "Success")
    await life.until("2026-03-07 15:00")
    return life


async def an_outage() -> Life:
    """The server does not answer for an hour, while forty jobs run and two of them fail."""
    life = Life("2026-03-03 01:00")
    for number in range(40):
        life.end(f"Tenant {number:02d} - Mail", "Success")
    await life.until("2026-03-03 02:00")
    life.break_off()
    await life.until("2026-03-03 02:30", timedelta(minutes=1))
    for number in range(40):
        status = "Success" if number % 20 else "Failed"
        life.end(f"Tenant {number:02d} - Mail", status, LINES.get(status, SKIPPED))
    await life.until("2026-03-03 03:00", timedelta(minutes=1))
    life.server.failure = None
    await life.until("2026-03-03 03:10", timedelta(seconds=15))
    return life


def _of(job: str) -> Match:
    return Match((("job", pattern([job])), ("severity", pattern([Severity.FAILURE.name.lower()]))))
