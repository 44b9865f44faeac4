"""From one page of a look to what the store has to write: what we know and what we owe, decided together."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from watcher.core import chain as chains
from watcher.core import event as events
from watcher.core.diff import Change, Horizon, Sight, Transition, diff
from watcher.core.errand import reference
from watcher.core.event import Event, JobRef, ServerRef, Story, event_id
from watcher.core.model import Job, JobType, LogLine, Session, Status
from watcher.core.outcome import is_older, judge, laid_aside
from watcher.core.policy import Case, Policy, now_told, rule
from watcher.core.record import Chain, Ledger, Outcome, Owed, Page
from watcher.core.ruling import Ruling, Told
from watcher.core.timeless import with_times
from watcher.core.watchdog.movement import with_movement

LATE_AT_LEAST = timedelta(minutes=5)
LATE_INTERVALS = 3
HOLD = timedelta(hours=2)
MOST_EAGER = 64

_PLAIN_TYPES = {
    Change.STARTED: events.SESSION_STARTED,
    Change.UNRECOGNIZED: events.SESSION_UNRECOGNIZED,
    Change.VANISHED: events.SESSION_VANISHED,
}


@dataclass(frozen=True, slots=True)
class Rules:
    """What the settings say about telling: who is told of what, the interval of looks, and the longest that a bad end
    waits for its retry.
    """

    policy: Policy
    interval: timedelta
    hold: timedelta = HOLD

    @property
    def is_final(self) -> bool:
        """Whether a run and its retries speak once, at least somewhere."""
        return self.policy.is_final


@dataclass(frozen=True, slots=True)
class Scene:
    """All that a decision may rest on besides the sight itself. `server_now` is `now` on the server's clock.

    `unread`: kinds of work that were never looked at before.
    """

    server: ServerRef
    horizon: Horizon
    now: datetime
    server_now: datetime
    rules: Rules
    jobs: Mapping[str, Job] = field(default_factory=dict)
    logs: Mapping[str, tuple[LogLine, ...]] = field(default_factory=dict)
    seeds: Mapping[str, Outcome] = field(default_factory=dict)
    unread: frozenset[JobType] = frozenset()


def turn(ledger: Ledger, sight: Sight, scene: Scene) -> Page:
    """Decide what one page of a look changes, from nothing but what the store knows and the page shows."""
    sight = with_times(ledger.sessions, sight, scene.server_now, is_first=JobType.SYNCHRONIZE in scene.unread)
    found = diff(ledger.sessions, sight, scene.horizon)
    account = _Account(ledger, scene)
    for transition in found.transitions:
        account.take(transition)
    account.release(sight)
    outcomes = {job: stands for job, stands in account.outcomes.items() if stands != ledger.outcomes.get(job)}
    waiting = tuple(chain for chain in account.chains.values() if chain != ledger.chains.get(chain.id))
    owed_now = tuple(_claimed(account.owed, scene.rules.policy))
    known = tuple(with_movement(one, ledger.sessions.get(one.session.id), scene.server_now) for one in found.known)
    return Page(known, outcomes, tuple(account.told), owed_now, waiting, account.rulings)


class _Account:
    """How jobs and chains stand while the transitions of a page are gone through, and the events so far."""

    def __init__(self, ledger: Ledger, scene: Scene) -> None:
        self.scene = scene
        self.outcomes = {**scene.seeds, **ledger.outcomes}
        self.chains = dict(ledger.chains)
        self.silences = ledger.silences
        self.told: list[Event] = []
        self.owed: list[Owed] = []
        self.rulings: dict[str, Ruling] = {}

    def take(self, transition: Transition) -> None:
        """Take one transition: tell of it, or let it wait."""
        session = transition.session
        if not session.is_of_job:
            self._take_errand(transition)
            return
        for chain in chains.replaced_by(session, self.chains.values()):
            self._give_up(chain)
        if transition.change == Change.ENDED:
            self._end(transition)
        elif transition.change == Change.HISTORY:
            self._lay_aside(session)
        else:
            self._say(_event(_PLAIN_TYPES[transition.change], transition, self.scene))

    def _take_errand(self, transition: Transition) -> None:
        """Tell of what no job repeats: it has no outcome that lasts, and no retry that it could wait for."""
        if transition.change == Change.ENDED:
            self._say(_event(judge(None, transition.session)[0], transition, self.scene))
        elif transition.change != Change.HISTORY:
            self._say(_event(_PLAIN_TYPES[transition.change], transition, self.scene))

    def release(self, sight: Sight) -> None:
        """Tell of what waits no longer: the server takes its word on a retry back, or the time is over."""
        waiting = {chain.last.id: chain for chain in self.chains.values() if chain.held and chain.last}
        for session in sight.sessions if waiting else ():
            if session.id in waiting and session.will_be_retried is False:
                self._tell(replace(waiting[session.id], last=session), "it will not be retried after all", is_over=True)
        if sight.is_last:
            hold = self.scene.rules.hold if self.scene.rules.is_final else timedelta(0)
            for chain in list(self.chains.values()):
                if chains.is_due(chain, self.scene.server_now, hold):
                    self._tell(chain, "its retry has not ended yet", is_over=False)

    def _end(self, transition: Transition) -> None:
        session = transition.session
        chain = chains.find(self.chains, session)
        waits = self._may_wait(session)
        if waits and chain and chains.is_late_attempt(chain, session):
            return  # its run was told to the end already
        if waits and not is_older(session, self.outcomes.get(session.job_id or "")):
            chain = chains.joined(chain or chains.begun(session), session, transition.came_from)
            self._keep(replace(chain, held=chain.held or session.ended or self.scene.server_now))
            self._tell_of_attempt(transition)
        elif chain or (chains.is_retry(session) and self.scene.rules.is_final):
            chain = chains.joined(chain or chains.begun(session), session, transition.came_from)
            self._tell(chain, transition.reason, is_over=True)
        else:
            self._judge(transition)

    def _may_wait(self, session: Session) -> bool:
        job = self.scene.jobs.get(session.job_id or "")
        return self.scene.rules.is_final and chains.may_wait(session, job.type if job else None)

    def _give_up(self, chain: Chain) -> None:
        """Close a chain whose retry never came, since its job's next run is there."""
        if chain.held and chain.last:
            chain = replace(chain, last=replace(chain.last, will_be_retried=None))
            self._tell(chain, "its retry did not come before the next run", is_over=True)
        else:
            self._keep(replace(chain, over=self.scene.server_now))

    def _tell(self, chain: Chain, reason: str, *, is_over: bool) -> None:
        """Tell of a chain by its last attempt."""
        if chain.last is None:
            return
        transition = Transition(Change.ENDED, chain.last, chain.came_from, reason)
        attempts = chain.attempts if self.scene.rules.is_final else ()
        self._judge(transition, attempts, is_told=chain.told)
        over = (chain.last.ended or self.scene.server_now) if is_over else None
        self._keep(replace(chain, held=None, told=True, over=over))

    def _judge(self, transition: Transition, attempts: tuple[str, ...] = (), *, is_told: bool = False) -> None:
        job = transition.session.job_id or ""
        before = self.outcomes.get(job)
        event_type, story, stands = judge(before, transition.session, is_told=is_told)
        event = replace(_event(event_type, transition, self.scene), story=story, attempts=attempts)
        ruling = self._say(event, told=before.told if before else ())
        if stands is not None and job:
            told = now_told(stands.told, event, ruling, event.decided) if stands.status == Status.FAILED else ()
            self.outcomes[job] = replace(stands, told=told)

    def _tell_of_attempt(self, transition: Transition) -> None:
        """Tell of an end that waits for its retry, where every attempt speaks; how the job stands is not settled."""
        if self.scene.rules.policy.speaks_each:
            before = self.outcomes.get(transition.session.job_id or "")
            event_type, story, _ = judge(before, transition.session)
            self._say(replace(_event(event_type, transition, self.scene), story=story), is_attempt=True)

    def _say(self, event: Event, *, told: tuple[Told, ...] = (), is_attempt: bool = False) -> Ruling:
        """Take an event down, with who is told of it."""
        policy = self.scene.rules.policy
        ruling = rule(event, Case(policy, self.scene.now, self.silences, told, is_attempt))
        self.told.append(event)
        self.rulings[event.id] = ruling
        self.owed.extend(owed(event, ruling, policy))
        return ruling

    def _lay_aside(self, session: Session) -> None:
        job = session.job_id or ""
        if self._may_wait(session):
            return  # how its run went says its last attempt
        stands = laid_aside(self.outcomes.get(job), session)
        if stands is not None and job:
            self.outcomes[job] = stands

    def _keep(self, chain: Chain) -> None:
        self.chains[chain.id] = chain


def replaced(server: ServerRef, before: str, scene: Scene) -> Page:
    """Return the page that tells of another installation under a server's name; `before` is the one it was."""
    event = Event(
        id=event_id(server, before, events.SERVER_REPLACED, None, None),
        type=events.SERVER_REPLACED,
        server=server,
        happened=scene.server_now,
        decided=scene.now,
        reason=f"installation {server.installation_id} answers where {before} was; its history begins now",
    )
    ruling = rule(event, Case(scene.rules.policy, scene.now))
    debts = tuple(owed(event, ruling, scene.rules.policy))
    return Page(events=(event,), owed=debts, rulings={event.id: ruling})


def owed(event: Event, ruling: Ruling, policy: Policy) -> Iterable[Owed]:
    """Return what a ruling makes us owe: the event to each destination of each channel that is told and still there."""
    for one in ruling.decisions:
        if one.tell:
            for place in policy.channels.get(one.channel, ()):
                yield Owed(event.id, one.channel, place, one.due, one.group, one.held)


def _claimed(debts: Iterable[Owed], policy: Policy) -> Iterator[Owed]:
    """Let this process claim what it can send at once, as far as a short lease reaches."""
    counts: Counter[str] = Counter()
    for one in debts:
        is_at_once = policy.claimant and one.channel in policy.eager and one.due is None
        counts[one.channel] += 1
        yield replace(one, claimant=policy.claimant) if is_at_once and counts[one.channel] <= MOST_EAGER else one


def _event(event_type: str, transition: Transition, scene: Scene) -> Event:
    session = transition.session
    is_end = transition.change == Change.ENDED
    ended = session.ended if is_end else None
    return Event(
        id=event_id(scene.server, session.id, event_type, session.status, ended),
        type=event_type,
        server=scene.server,
        happened=_happened(transition, scene),
        decided=scene.now,
        late=is_end and _is_late(session, scene),
        job=_job_ref(session, scene.jobs),
        session=session,
        came_from=transition.came_from,
        went_to=session.status,
        log=scene.logs.get(session.id, ()),
        reason=transition.reason,
        story=Story(),
    )


def _happened(transition: Transition, scene: Scene) -> datetime:
    session = transition.session
    if transition.change == Change.VANISHED:
        return scene.server_now
    if transition.change == Change.STARTED:
        return session.created or scene.server_now
    return session.ended or scene.server_now


def _is_late(session: Session, scene: Scene) -> bool:
    if session.ended is None:
        return False
    limit = max(LATE_INTERVALS * scene.rules.interval, LATE_AT_LEAST)
    return session.ended < scene.horizon.first_contact or scene.server_now - session.ended > limit


def _job_ref(session: Session, jobs: Mapping[str, Job]) -> JobRef | None:
    if not session.is_of_job:
        return reference(session)
    if session.job_id is None:
        return None
    job = jobs.get(session.job_id)
    if job is None:
        return JobRef(session.job_id, session.job_id, session.job_type)
    return JobRef(job.id, job.name, session.job_type or job.type, job.organization)
