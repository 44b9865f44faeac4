"""The application: its pages, and what programs read, by a reader and a clock that it is given."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from importlib.resources import files

from anyio import to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from watcher.core.board import Asked
from watcher.web import signs
from watcher.web.actions import Actions, Hands
from watcher.web.api import Api
from watcher.web.frame import Page, Part, as_of, document, sentence, title
from watcher.web.guard import Guard, json_answer
from watcher.web.health import Health
from watcher.web.jobpage import job_page
from watcher.web.keeper import Keeper
from watcher.web.lens import Lens
from watcher.web.live import Live, mark_of
from watcher.web.metrics import Metrics
from watcher.web.page import overview_page
from watcher.web.reading import Reader, UnreadableError, read

LONGEST_SEARCH = 200
_FOR_A_DAY = {"Cache-Control": "max-age=86400"}
_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#1f6f4a"/>'
    '<path d="M8 17l5 5 11-12" fill="none" stroke="#fff" stroke-width="4" stroke-linecap="round"/></svg>'
)


@dataclass(frozen=True, slots=True)
class Acting:
    """What lets people act: whoever acts for the page, and the token (None: nobody may)."""

    hands: Hands
    token: str | None
    is_https: bool = False


def create_app(
    *,
    reader: Reader,
    health: Health,
    metrics: Metrics,
    now: Callable[[], datetime],
    allowed_hosts: frozenset[str] | None = None,
    zone: tzinfo = UTC,
    acting: Acting | None = None,
) -> Starlette:
    """Build the application; `allowed_hosts` as `guard.hosts_for` gives it for the address it listens on.

    `zone` is that of all times. Set the event `app.state.live.stopping` before the server stops: open streams end then.
    """
    keeper = Keeper(acting.token if acting else None, now, is_https=bool(acting and acting.is_https))
    live = Live(reader.pulse)
    pages = _Pages(reader, health, now, zone, keeper, live)
    actions = Actions(acting.hands, keeper, pages.lens, now).routes() if acting else []
    app = Starlette(
        routes=[*pages.routes(), *actions, *Api(reader, health, metrics, now).routes()],
        middleware=[Middleware(Guard, allowed_hosts=allowed_hosts)],
        exception_handlers={HTTPException: _refused, UnreadableError: _unreadable},
    )
    app.router.redirect_slashes = False  # a redirect would repeat whatever name the client put into Host
    app.state.live = live
    return app


@dataclass(frozen=True, slots=True)
class _Pages:
    """The pages for people, and what belongs to them."""

    reader: Reader
    health: Health
    now: Callable[[], datetime]
    zone: tzinfo
    keeper: Keeper
    live: Live

    def routes(self) -> list[Route]:
        """Return the routes; a server's name may have a slash in it."""
        return [
            Route("/", self.overview),
            Route("/live", self.follow_overview),
            Route("/jobs/{server:path}/{job}/live", self.follow_job),
            Route("/jobs/{server:path}/{job}", self.job),
            Route("/style.css", _asset("style.css", "text/css")),
            Route("/live.js", _asset("live.js", "text/javascript")),
            Route("/icon.svg", _icon),
        ]

    def lens(self, request: Request | None = None) -> Lens:
        """Return how a page is written for whoever asks."""
        grant = self.keeper.reader(request) if request is not None else None
        return Lens(self.now(), self.zone, csrf=grant.csrf if grant else None, may_sign_in=self.keeper.is_open)

    async def overview(self, request: Request) -> Response:
        """Show how everything stands."""
        asked, lens = _asked(request), self.lens(request)
        return await self._shown(lambda: self._overview(asked, lens), lens)

    async def job(self, request: Request) -> Response:
        """Show one job in full."""
        lens = self._job_lens(request)
        return await self._shown(lambda: self._job(request, lens), lens)

    async def follow_overview(self, request: Request) -> Response:
        """Send what changes on the first page."""
        asked, lens = _asked(request), self.lens(request)
        address = f"{asked.page} {asked.text} {lens.csrf}"
        return self._stream(request, address, lambda: self._overview(asked, self.lens(request)))

    async def follow_job(self, request: Request) -> Response:
        """Send what changes on a job's page."""
        lens = self._job_lens(request)
        address = f"{request.path_params} {lens.csrf}"
        return self._stream(request, address, lambda: self._job(request, self._job_lens(request)))

    async def _overview(self, asked: Asked, lens: Lens) -> Page:
        overview = await read(self.reader.overview(asked))
        stuck = self.health.stuck(self.now())
        return await to_thread.run_sync(overview_page, overview, asked, stuck, lens)

    async def _job(self, request: Request, lens: Lens) -> Page:
        sheet = await read(self.reader.sheet(request.path_params["server"], request.path_params["job"]))
        if sheet is None:
            raise HTTPException(404, "there is no such job")
        return await to_thread.run_sync(job_page, sheet, lens)

    def _job_lens(self, request: Request) -> Lens:
        return self.lens(request).below("../../")

    async def _shown(self, make: Callable[[], Awaitable[Page]], lens: Lens) -> Response:
        try:
            page = await make()
        except UnreadableError as error:
            return HTMLResponse(sentence(str(error), signs.BAD, lens=lens), 503)
        except HTTPException as error:
            return HTMLResponse(sentence(error.detail, signs.ODD, lens=lens), error.status_code)
        return HTMLResponse(document(page, lens, mark_of((title(page), *page.parts))))

    def _stream(self, request: Request, address: str, make: Callable[[], Awaitable[Page]]) -> Response:
        if self.live.is_full:
            return json_answer({"error": "too many look already; the page itself works"}, 503)
        if request.method == "HEAD":
            return Response(media_type="text/event-stream")
        seen = request.headers.get("last-event-id") or request.query_params.get("seen", "")

        async def write() -> tuple[Part, ...]:
            page = await make()
            return (title(page), as_of(self.lens()), *page.parts)

        events: AsyncIterator[str] = self.live.follow(address, seen[:100], write)
        return StreamingResponse(events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


def _asked(request: Request) -> Asked:
    page = request.query_params.get("page", "")
    number = int(page) if page.isascii() and page.isdigit() and len(page) <= 6 else 1
    return Asked(request.query_params.get("q", "")[:LONGEST_SEARCH], number)


def _asset(name: str, kind: str) -> Callable[[Request], Awaitable[Response]]:
    """Make the endpoint of a file of ours; the pages ask for it by version, so it may be kept."""
    content = (files("watcher.web") / name).read_bytes()

    async def asset(request: Request) -> Response:
        return Response(content, media_type=kind, headers=_FOR_A_DAY)

    return asset


async def _icon(request: Request) -> Response:
    return Response(_ICON, media_type="image/svg+xml", headers=_FOR_A_DAY)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - Starlette's types do not say which handler gets what
    words = "only GET and HEAD are served here" if error.status_code == 405 else error.detail
    answer = json_answer({"error": words}, error.status_code)
    answer.headers.update(error.headers or {})
    return answer


async def _unreadable(request: Request, error: Exception) -> Response:
    return json_answer({"status": "unavailable", "error": str(error)}, 503)
