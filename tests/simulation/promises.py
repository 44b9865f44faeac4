"""The promises of the contract's section 7, as questions to one simulated life."""

from collections.abc import Iterator
from itertools import pairwise

from tests.simulation.household import Household
from tests.simulation.world import Receipt, Receiver, spoken_of
from watcher.core.delivery import Sent, State
from watcher.core.event import Event
from watcher.core.model import Session
from watcher.core.views import DeliveryView


def broken(house: Household) -> list[str]:
    """Return what was promised and not kept, a sentence each."""
    rows = house.store.deliveries(state=None, limit=1_000_000)
    return [
        *_nothing_is_lost(house, rows),
        *_nothing_is_made_up(house),
        *_a_run_speaks_once(house),
        *_only_what_was_in_flight_is_repeated(house),
        *_in_order(house),
        *_batches_stay_as_they_are(house),
    ]


def news(house: Household) -> Iterator[Session]:
    """Return the ends to hear of: at or after first contact, of runs that were over before the world grew calm."""
    known = list(_since_first_contact(house))
    waiting = {_run(one) for one in known if one.ended and one.ended > house.calm_since}
    waiting |= {_run(one) for one in known} - {_run(one) for one in known if not one.will_be_retried}
    return (one for one in known if _run(one) not in waiting)


def _run(session: Session) -> str:
    return session.main_session_id or session.id


def _since_first_contact(house: Household) -> Iterator[Session]:
    for server in house.servers:
        record = house.store.server(server.name)
        if record is not None:
            yield from (run for run in server.runs if run.ended and run.ended >= record.first_contact)


def _nothing_is_lost(house: Household, rows: list[DeliveryView]) -> Iterator[str]:
    for row in rows:
        if row.state == State.PENDING:
            yield f"{row.event} for {row.destination} is still pending: {row.last_error}"
        if row.state == State.DEAD and not row.last_error:
            yield f"{row.event} for {row.destination} is dead without a reason"
    dead = {(row.event_id, row.destination) for row in rows if row.state == State.DEAD}
    for receiver in house.receivers:
        if unasked := {event for event, place in dead if place in receiver.destinations} - receiver.refused.keys():
            yield f"{receiver.name} never refused {len(unasked)} events that are dead"
        for place in receiver.destinations:
            told = {one for event in _told(receiver, place) for one in spoken_of(event)}
            refused = (receiver.refused[event] for event, where in dead if where == place and event in receiver.refused)
            told |= {one for sessions in refused for one in sessions}
            for run in news(house):
                if run.id not in told:
                    yield f"{place} never heard how {run.id} ended ({run.status}, {run.ended})"


def _nothing_is_made_up(house: Household) -> Iterator[str]:
    ends = {(run.id, run.status) for run in _since_first_contact(house)}
    for receiver in house.receivers:
        ids: dict[tuple[str, str], str] = {}
        for receipt in receiver.got:
            for event in receipt.events:
                if event.session is None:
                    continue
                end = (event.session.id, event.session.status)
                if end not in ends:
                    yield f"{receiver.name} heard of {end}, which was no news"
                if ids.setdefault(end, event.id) != event.id:
                    yield f"{receiver.name} heard of {end} under two ids"


def _a_run_speaks_once(house: Household) -> Iterator[str]:
    """By its last attempt: no hold runs out in these lives. All attempts since first contact are named in it."""
    for receiver in house.receivers:
        for event in (event for place in receiver.destinations for event in _told(receiver, place)):
            if event.session is None:
                continue
            if event.session.will_be_retried:
                yield f"{receiver.name} heard of {event.session.id}, which was retried"
            run = _run(event.session)
            attempts = [one.id for one in _since_first_contact(house) if _run(one) == run]
            if len(attempts) > 1 and not set(attempts) <= set(event.attempts):
                yield f"{event.session.id} names {event.attempts} and not {attempts}"


def _only_what_was_in_flight_is_repeated(house: Household) -> Iterator[str]:
    for receiver in house.receivers:
        last: dict[tuple[str, str], Receipt] = {}
        for receipt in receiver.got:
            for event in receipt.events:
                before = last.get((receipt.destination, event.id))
                if before is not None and not _may_come_again(receiver, before, receipt):
                    yield f"{receipt.destination} got {event.id} twice, by receipts {before.number}, {receipt.number}"
                last[receipt.destination, event.id] = receipt


def _may_come_again(receiver: Receiver, before: Receipt, again: Receipt) -> bool:
    """Whether nobody could know that it had arrived, or a crash came before that was written down."""
    if before.answered == Sent.UNKNOWN:
        return True
    last_words = [one for one in receiver.got if one.generation == before.generation][-receiver.concurrency :]
    return again.generation > before.generation and before in last_words


def _in_order(house: Household) -> Iterator[str]:
    for receiver in house.receivers:
        if receiver.concurrency > 1:
            continue
        for place in receiver.destinations:
            for job in {event.subject for event in _told(receiver, place)}:
                events = [event for event in _told(receiver, place) if event.subject == job]
                for one, other in pairwise(events):
                    if one.happened > other.happened:
                        yield f"{place} heard of {other.happened} after {one.happened} for {job}"


def _batches_stay_as_they_are(house: Household) -> Iterator[str]:
    for receiver in (one for one in house.receivers if one.batch):
        sent: dict[str, list[str]] = {}
        for receipt in receiver.got:
            ids = [event.id for event in receipt.events]
            if sent.setdefault(receipt.message, ids) != ids:
                yield f"{receipt.destination} got {receipt.message} as {sent[receipt.message]}, then as {ids}"


def _told(receiver: Receiver, place: str) -> list[Event]:
    """Return the events that came to a place, each where it came first."""
    found: dict[str, Event] = {}
    for receipt in receiver.got:
        if receipt.destination == place:
            for event in receipt.events:
                found.setdefault(event.id, event)
    return list(found.values())
