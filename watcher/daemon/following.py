"""What is said by the clock and not by a look: a pass, and the loop around it."""

from dataclasses import dataclass

from watcher.core.followup import FollowUp, follow_up
from watcher.core.policy import Policy
from watcher.core.reminder import may_remind
from watcher.daemon.digesting import digest_once
from watcher.daemon.heartbeating import heartbeat_once
from watcher.daemon.loops import Loops
from watcher.daemon.parts import Bench, Threaded
from watcher.store import StoreError

FOLLOW_UP_EVERY = 1.5
SELDOM = 20  # passes: reminders and digests are looked for so often


@dataclass(frozen=True, slots=True)
class Following:
    """The loop that ends silences, reminds of failures and tells digests."""

    loops: Loops

    async def run(self) -> None:
        """Say, for ever, what has to be said, once the channels are open."""
        loops, reading, passes = self.loops, Threaded(only_reads=True), 0
        policy = await loops.bench.policy()
        while True:
            try:
                said = await follow_up_once(loops.bench, policy, with_failing=passes % SELDOM == 0)
                loops.telling.followed_up(said)
                told = await self._scheduled(policy, reading) if passes % SELDOM == 0 else False
                if said.owed or told:
                    loops.bell.ring()
                loops.telling.store_worked("follow up")
            except StoreError as error:
                loops.store_failed("follow up", error)
            passes += 1
            await loops.clock.sleep(FOLLOW_UP_EVERY)

    async def _scheduled(self, policy: Policy, reading: Threaded) -> bool:
        """Tell the digest and the heartbeat that are due; return whether there was one."""
        loops = self.loops
        digest = await digest_once(loops.bench, policy, reading)
        stuck = loops.health.stuck(loops.clock.now())
        beat = await heartbeat_once(loops.bench, policy, reading, loops.jobs, stuck)
        return digest is not None or beat is not None


async def follow_up_once(bench: Bench, policy: Policy, *, with_failing: bool = True) -> FollowUp:
    """Say what has to be said now: what is still true when a silence ends, and what lasts."""
    store, now = bench.store, bench.clock.now()
    failing = with_failing and may_remind(policy)
    said = await bench.run_db(
        lambda: store.follow_up(lambda diary: follow_up(diary, policy, now), now=now, with_failing=failing)
    )
    return said or FollowUp()
