"""The first loop's pass: look at one server, decide what happened, and write down what we know and what we owe."""

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import anyio

from watcher.core.diff import Horizon, Sight
from watcher.core.model import Failure, Greeting, JobType, LogLine, Look, LookFailed, Memory, Session, Status
from watcher.core.outcome import seeds
from watcher.core.page import Scene, replaced, turn
from watcher.core.record import Ledger, Page, Refusal, ServerRecord
from watcher.watch import Report, Source, Watch

PAGE_SIZE = 500
LOGS_WITHIN = 8.0
MOST_LOGS = 25  # of one look: when more end badly at once, what matters is that they do
KINDS_KEPT_EVERY = timedelta(minutes=1)
LOGIN_PAUSE = timedelta(minutes=5)
_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


async def poll_once(watch: Watch, *, now: datetime) -> Report:
    """Take one look at a server and record it; a look that fails is noted and changes nothing else.

    Errors of the store are not caught: what could not be written down has not happened.
    """
    watch.wake = anyio.Event()
    hints = watch.ear.take_hints()
    if watch.ear.hints:
        watch.wake.set()
    try:
        report = await _look(watch, now, hints)
    except LookFailed as failure:
        watch.ear.give_back(hints)
        refusal = await _refusal(watch, failure, now)
        text, name, kind, other = str(failure), watch.watched.name, failure.kind, failure.other
        await watch.run_db(
            lambda: watch.journal.fail_look(name, now=now, error=text, kind=kind, refusal=refusal, doubted=other)
        )
        return Report(name, kind, text, failure.wait)
    except BaseException:
        watch.ear.give_back(hints)
        raise
    return report


async def _look(watch: Watch, now: datetime, hints: Mapping[str, str]) -> Report:
    token = watch.ear.token
    await _keep_away_after_a_refusal(watch, now)
    record = watch.record or await _meet(watch, now)
    horizon = Horizon(record.first_contact, record.news_from, record.kinds)
    memory, watch.memory = watch.memory, None
    if memory is None:
        memory = await _memory(watch, record)
    forgotten = await _keep_kinds(watch, record, memory, now)
    if forgotten:
        memory = await _memory(watch, record)
    memory = replace(memory, installation=record.ref.installation_id, hints=hints)
    look = await watch.source.look(memory)
    server_now = now + (look.greeting.skew or timedelta(0))
    scene = Scene(
        server=replace(record.ref, installation_id=record.ref.installation_id or look.greeting.installation_id),
        horizon=replace(horizon, news_from=max(horizon.news_from, server_now - watch.watched.keep)),
        now=now,
        server_now=server_now,
        rules=await watch.rules(),
        jobs=look.jobs,
        seeds=seeds(look.jobs, look.sessions) if record.last_success is None else {},
        unread=watch.watched.kinds - memory.marks.keys(),
    )
    if _is_another(record, look.greeting):
        return await _replaced(watch, record, look.greeting, scene)
    pages: list[Page] = []
    for sight in _sights(watch, look, memory.held, scene):
        has_logs = any(event.log for page in pages for event in page.events)
        page = await _write(watch, record, sight, scene, may_read_logs=not has_logs)
        watch.hand(page.claimed)
        pages.append(page)
    await _finish(watch, record, look, scene, token)
    watch.marks = {**memory.marks, **look.marks}
    watch.memory = None if pages or look.marks else memory
    events = tuple(event for page in pages for event in page.events)
    of_jobs = (event for event in events if event.session and event.session.is_of_job)
    ended = [event.session.id for event in of_jobs if event.session and event.came_from and not event.late]
    return Report(
        record.ref.name,
        events=events,
        owed=sum(len(page.owed) for page in pages),
        unreadable=len(look.unreadable),
        mute=watch.ear.compare(ended),
        waiting=tuple(chain for page in pages for chain in page.chains if chain.held is not None),
        silenced=sum(ruling.muted_by is not None for page in pages for ruling in page.rulings.values()),
        forgotten=forgotten,
    )


async def _memory(watch: Watch, record: ServerRecord) -> Memory:
    return await watch.run_db(lambda: watch.journal.memory(record.id, horizon=record.news_from))


async def _keep_kinds(watch: Watch, record: ServerRecord, memory: Memory, now: datetime) -> frozenset[JobType]:
    """Put back what another watcher of the same database has forgotten at its start, since it does not watch it.

    The marks of other kinds of work tell it at once; for the rest somebody asks now and then.
    """
    since, marks = watch.kept, watch.marks
    if since is None:  # it was met just now
        watch.kept = now
        return frozenset()
    if timedelta(0) <= now - since < KINDS_KEPT_EVERY and marks.keys() <= memory.marks.keys():
        return frozenset()
    found = await watch.run_db(lambda: watch.journal.keep_kinds(record.id, record.kinds, marks, since=since))
    watch.kept = now
    return found


async def _meet(watch: Watch, now: datetime) -> ServerRecord:
    """Store the moment of first contact, on the server's clock, before any session is read."""
    greeting = await watch.source.greet()
    server_now = now + (greeting.skew or timedelta(0))
    watched = watch.watched
    watch.record = await watch.run_db(
        lambda: watch.journal.meet(
            watched.name,
            watched.url,
            greeting,
            first_contact=server_now,
            news_from=server_now - watched.lookback,
            kinds=watched.kinds,
        )
    )
    watch.ear.token, watch.since = watch.record.feed_token, now
    last = watch.record.last_success
    watch.was_away = now - last if last is not None else None
    return watch.record


def _is_another(record: ServerRecord, greeting: Greeting) -> bool:
    known, answering = record.ref.installation_id, greeting.installation_id
    return known is not None and answering is not None and answering != known


async def _replaced(watch: Watch, record: ServerRecord, greeting: Greeting, scene: Scene) -> Report:
    """Believe in another installation when it answers in two looks; none of them is read as the known one's news."""
    known, answering = record.ref.installation_id or "", greeting.installation_id or ""
    if record.doubted != answering:
        watch.record = replace(record, doubted=answering)
        text = f"{watch.watched.url}: another installation answers ({answering}); believed if it does so again"
        raise LookFailed(Failure.REPLACED, text, other=answering)
    told: list[Page] = []

    def write(other: ServerRecord) -> Page:
        told.append(replaced(other.ref, known, scene))
        return told[-1]

    watch.record = await watch.run_db(
        lambda: watch.journal.replace(
            record, watch.watched.url, greeting, write, first_contact=scene.server_now, now=scene.now
        )
    )
    watch.seen, watch.open, watch.jobs, watch.shown, watch.memory = {}, {}, {}, None, None
    watch.marks, watch.kept = {}, None
    watch.ear.lose()
    return Report(record.ref.name, events=told[-1].events, owed=len(told[-1].owed))


def _sights(watch: Watch, look: Look, held: datetime | None, scene: Scene) -> Iterator[Sight]:
    """Cut what is new in a look into pages, oldest first, so that each job's ends are judged in their order."""
    is_as_before = look.sessions is watch.shown  # the source gives the very same where nothing has moved
    unlike = () if is_as_before else (one for one in look.sessions if not _is_same(watch.seen.get(one.id), one))
    fresh = sorted(unlike, key=_when)
    for start in range(0, len(fresh), PAGE_SIZE):
        yield Sight(sessions=tuple(fresh[start : start + PAGE_SIZE]))
    if look.gone or look.unreadable or scene.seeds or _may_wait_no_longer(fresh, held, scene):
        yield Sight(gone=look.gone, unreadable=look.unreadable, is_last=True)


def _may_wait_no_longer(fresh: Iterable[Session], held: datetime | None, scene: Scene) -> bool:
    """Whether something that waits for its retry may have waited long enough."""
    hold = scene.rules.hold if scene.rules.is_final else timedelta(0)
    ends = [held, *(session.ended for session in fresh if session.will_be_retried)]
    return any(end is not None and scene.server_now - end >= hold for end in ends)


def _is_same(known: Session | None, shown: Session) -> bool:
    return known is shown or known == shown  # an answer with the bytes of last time shows the very same


def _when(session: Session) -> tuple[datetime, str]:
    return session.ended or session.created or _LONG_AGO, session.id


async def _write(watch: Watch, record: ServerRecord, sight: Sight, scene: Scene, *, may_read_logs: bool) -> Page:
    """Write one page; if it has ends worth a look at their logs, read those first and decide again with them."""
    ids = [*(session.id for session in sight.sessions), *sight.gone, *sight.unreadable]
    ids += [session.main_session_id for session in sight.sessions if session.main_session_id]
    job_ids = {session.job_id for session in sight.sessions if session.job_id} | scene.seeds.keys()
    wanted: list[str] = []

    def first_try(ledger: Ledger) -> Page:
        page = turn(ledger, sight, scene)
        wanted.extend(_worth_a_log(page) if may_read_logs else ())
        return Page() if wanted else page

    run, journal = watch.run_db, watch.journal
    page = await run(lambda: journal.record(record.id, ids, job_ids, first_try, now=scene.now))
    if not wanted:
        return page
    told = replace(scene, logs=await _logs(watch.source, wanted))
    return await run(
        lambda: journal.record(record.id, ids, job_ids, lambda ledger: turn(ledger, sight, told), now=scene.now)
    )


def _worth_a_log(page: Page) -> list[str]:
    """Return the sessions whose log tells something: bad ends, and each restore, for it says what was given back."""
    owed = {row.event_id for row in page.owed}
    owed |= {event_id for event_id, ruling in page.rulings.items() if ruling.muted_by is not None}
    ended = (event.session for event in page.events if event.id in owed and event.session and event.session.is_ended)
    return [one.id for one in ended if one.status != Status.SUCCESS or one.job_type is JobType.RESTORE][:MOST_LOGS]


async def _logs(source: Source, session_ids: Sequence[str]) -> dict[str, tuple[LogLine, ...]]:
    """Read the logs of bad ends, as far as a few seconds reach: a missing log never holds a message."""
    logs: dict[str, tuple[LogLine, ...]] = {}
    with anyio.move_on_after(LOGS_WITHIN):
        for session_id in session_ids:
            logs[session_id] = await source.log_lines(session_id)
    return logs


async def _finish(watch: Watch, record: ServerRecord, look: Look, scene: Scene, token: str | None) -> None:
    """Move the watermark, now that the whole look is written down; never past the server's present.

    With it goes the token up to which the event feed was heard before the look.
    """
    sessions = () if look.sessions is watch.shown else look.sessions
    ends = [session.ended for session in sessions if session.is_ended and session.ended and session.is_of_job]
    watermark = min(max(ends), scene.server_now) if ends else None
    jobs = {} if look.jobs == watch.jobs else look.jobs
    await watch.run_db(
        lambda: watch.journal.finish_look(
            record.id,
            now=scene.now,
            greeting=look.greeting,
            watermark=watermark,
            jobs=jobs,
            feed_token=token,
            marks=look.marks,
        )
    )
    watch.source.confirm()
    watch.record = replace(record, ref=scene.server, last_success=scene.now, doubted=None)
    if look.sessions is not watch.shown:
        watch.seen = {session.id: session for session in look.sessions if session.is_settled}
        watch.open = {session.id: session.status for session in look.sessions if not session.is_settled}
    watch.shown, watch.jobs = look.sessions, look.jobs
    watch.has_looked = True


async def _keep_away_after_a_refusal(watch: Watch, now: datetime) -> None:
    """Accounts get locked by trying again: a refused login rests for a while, over restarts too."""
    if watch.record is None and watch.refused_until is None:
        refusal = await watch.run_db(lambda: watch.journal.refusal(watch.watched.name))
        if refusal and now < refusal.at + LOGIN_PAUSE and watch.source.login_hash(refusal.salt) == refusal.login:
            watch.refused_until = refusal.at + LOGIN_PAUSE
    if watch.refused_until is None:
        return
    if now < watch.refused_until:
        wait = (watch.refused_until - now).total_seconds()
        text = f"{watch.watched.url}: the login was refused; it is tried again in {wait:.0f} s, or when it changes"
        raise LookFailed(Failure.LOGIN_REFUSED, text, wait=wait)
    watch.refused_until = None


async def _refusal(watch: Watch, failure: LookFailed, now: datetime) -> Refusal | None:
    if failure.kind != Failure.LOGIN_REFUSED or watch.refused_until is not None:
        return None
    watch.refused_until = now + LOGIN_PAUSE
    salt = secrets.token_hex(16)
    return Refusal(at=now, salt=salt, login=watch.source.login_hash(salt))
