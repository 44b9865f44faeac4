"""The restores of the demo's story."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from watcher.core.model import Errand
from watcher.demo.story import ALDERWOOD, WEEK


@dataclass(frozen=True, slots=True)
class Restore:
    """Something that an operator gives back to somebody."""

    began: datetime
    ended: datetime
    errand: Errand


def restores(start: datetime) -> Iterator[Restore]:
    """Yield a restore an hour after `start`, and one each week."""
    began = start + timedelta(minutes=52)
    while True:
        errand = Errand(
            "Mailbox of Maya Lindqvist",
            "Vex",
            ALDERWOOD,
            "maya.lindqvist@alderwood.example",
            r"VBO-01\helpdesk",
            "vbo-01.alderwood.example",
            "Ticket 2207: she deleted a folder",
        )
        yield Restore(began, began + timedelta(minutes=7), errand)
        began += WEEK
