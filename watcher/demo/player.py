"""Live a story: apply its steps to a world as its time comes."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from watcher.core.model import JobType, Statistics, Status
from watcher.demo.restores import Restore, restores
from watcher.demo.story import DISK_FULL, ESTATE, PROXY_AWAY, WEEK, Act, Run, Step, life
from watcher.demo.world import World

_KEEP_WEEKS = 4


class Player:
    """Applies steps and restores to a world, in their order. Jobs are found by their names.

    With `start`, when the life began, its last proxy and its last repository have their troubles each week.
    """

    def __init__(
        self, world: World, steps: Iterable[Step], restores: Iterable[Restore] = (), *, start: datetime | None = None
    ) -> None:
        """Begin before the first step."""
        self._world = world
        self._start = start
        self._restores = iter(restores)
        self._restore = next(self._restores, None)
        self._restoring: str | None = None
        self._steps = iter(steps)
        self._next = next(self._steps, None)
        self._jobs = {job.name: job.id for job in world.jobs.values()}
        self._latest: dict[str, str] = {}
        self._forgotten: datetime | None = None

    def advance(self, now: datetime) -> None:
        """Apply all steps up to `now`, and forget what is older than the world keeps."""
        while self._next is not None and self._next.at <= now:
            self._apply(self._next)
            self._next = next(self._steps, None)
        while self._restore is not None and self._restore.began <= now and self._give_back(self._restore, now):
            self._restore = next(self._restores, None)
        self._forget(now)
        if self._start is not None:
            self._trouble(now, self._start)

    def _trouble(self, now: datetime, start: datetime) -> None:
        world = self._world
        proxy, disk = list(world.proxies.values())[-1], list(world.repositories.values())[-1]
        world.proxies[proxy.id] = replace(proxy, online=not PROXY_AWAY.is_on(now, start))
        free = disk.capacity * (0.08 if DISK_FULL.is_on(now, start) else 0.4)
        world.repositories[disk.id] = replace(disk, free=round(free))

    def _give_back(self, restore: Restore, now: datetime) -> bool:
        """Begin a restore, and end it when its time is over; return whether that is so."""
        if self._restoring is None:
            self._restoring = self._world.begin_errand(JobType.RESTORE, restore.began, restore.errand)
        if now < restore.ended:
            return False
        text = r"Restored to \maya.lindqvist\Inbox"
        self._world.log_errand(self._restoring, "success", text, restore.ended, item="Folder Offers 2026 (218 items)")
        self._world.end_errand(self._restoring, Status.SUCCESS, restore.ended)
        self._restoring = None
        return True

    def _apply(self, step: Step) -> None:
        run = step.run
        if step.act is Act.START:
            retry_of = self._latest[run.job] if run.attempt else None
            job, following = self._jobs[run.job], run.following
            self._latest[run.job] = self._world.start(job, step.at, retry_of=retry_of, following=following)
        elif step.act is Act.PROGRESS:
            counters = _so_far(run.statistics, step.share)
            self._world.progress(self._latest[run.job], counters.processed_objects or 0, counters)
        else:
            self._end(self._latest[run.job], run)

    def _end(self, session: str, run: Run) -> None:
        self._world.progress(session, run.statistics.processed_objects or 0, run.statistics)
        length = (run.ended - run.began) / len(run.log)
        for number, line in enumerate(run.log):
            self._world.log(session, line.type, line.text, run.began + number * length)
        self._world.end(session, run.status, run.ended, will_be_retried=run.will_be_retried)

    def _forget(self, now: datetime) -> None:
        weeks = self._world.keep_weeks
        if weeks is None or (self._forgotten is not None and now - self._forgotten < timedelta(days=1)):
            return
        self._world.forget(now - weeks * WEEK)
        self._forgotten = now


def living_world(start: datetime, seed: int = 0) -> tuple[World, Player]:
    """Return the story's estate, and the player that lives its life from `start` on (history before it included)."""
    world = World()
    world.keep_weeks = _KEEP_WEEKS
    world.license = replace(world.license, expires=start + timedelta(days=240))
    world.add_repository("Disk 02", world.add_proxy("proxy-02"))
    ids: dict[str, str] = {}
    for plan in ESTATE:
        copy_of = ids[plan.copy_of] if plan.copy_of else None
        ids[plan.name] = world.add_job(plan.name, plan.organization, schedule=plan.schedule, copy_of=copy_of)
    return world, Player(world, life(seed, start), restores(start), start=start)


def _so_far(counters: Statistics, share: float) -> Statistics:
    return replace(
        counters,
        transferred=round((counters.transferred or 0) * share),
        processed_objects=round((counters.processed_objects or 0) * share),
        bottleneck="Detecting" if share < 0.3 else counters.bottleneck,
    )
