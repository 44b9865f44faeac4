"""Through what a page is seen: whose times, from which address, and whether its reader may act."""

from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from hashlib import blake2b

from watcher.core.jsonview import timestamp
from watcher.core.render.units import brief, moment, offset
from watcher.core.standing import JobRow
from watcher.web.markup import Markup, element


@dataclass(frozen=True, slots=True)
class Lens:
    """How one page is written. `root`: the way from its address to that of the first page, as links need it.

    `csrf`: what each form has to bring back; None for readers who may not act. `may_sign_in`: there is a token.
    """

    now: datetime
    zone: tzinfo
    root: str = ""
    csrf: str | None = None
    may_sign_in: bool = False

    def below(self, root: str) -> "Lens":
        """Return the same for a page at another address."""
        return replace(self, root=root)

    def time(self, when: datetime | None, *, nothing: str = "never") -> Markup:
        """Write a moment shortly, and in full where one points at it."""
        if when is None:
            return element("span", nothing, class_="faint")
        full = moment(when, self.zone, beside=self.now)
        return element("time", brief(when, self.zone, beside=self.now), datetime=timestamp(when), title=full)

    def clock(self, when: datetime | None) -> Markup:
        """Write the time of day."""
        if when is None:
            return element("span", "never", class_="faint")
        local = when.astimezone(self.zone)
        full = moment(when, self.zone, beside=self.now)
        return element("time", f"{local:%H:%M:%S}", datetime=timestamp(when), title=full)

    @property
    def as_of(self) -> Markup:
        """Say when this was so, and in which zone all times are."""
        local = self.now.astimezone(self.zone)
        zone = offset(self.now, self.zone)
        return element("time", f"{local:%H:%M:%S} {zone}", datetime=timestamp(self.now), title=f"{local:%Y-%m-%d}")

    def form(self, action: str, *content: str, css: str = "act") -> Markup:
        """Return a form that acts, with what it has to bring back; nothing for readers who may not."""
        if self.csrf is None:
            return Markup("")
        csrf = element("input", type="hidden", name="csrf", value=self.csrf)
        return element("form", csrf, *content, method="post", action=f"{self.root}actions/{action}", class_=css)


def hidden(name: str, value: str) -> Markup:
    """Return a value that a form brings back unseen."""
    return element("input", type="hidden", name=name, value=value)


def row_id(row: JobRow) -> str:
    """Return the name that a job's part of a page has inside it."""
    return f"job-{blake2b(f'{row.server_id}/{row.job.id}'.encode(errors='replace'), digest_size=6).hexdigest()}"
