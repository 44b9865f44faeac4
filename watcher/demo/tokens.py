"""Access and refresh tokens: opaque, short-lived, and a refresh token works once."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pair:
    """What a login gives. `cookie` is the antiforgery token that has to come along with it, None where it is off."""

    access: str
    refresh: str
    cookie: str | None = None


class Tokens:
    """The pairs that are good. `clock` counts seconds and never goes back."""

    def __init__(self, lifetime: float, clock: Callable[[], float]) -> None:
        """Access tokens live `lifetime` seconds, refresh tokens until they are used."""
        self.lifetime = lifetime
        self._clock = clock
        self._access: dict[str, tuple[float, Pair]] = {}
        self._refresh: dict[str, Pair] = {}

    def issue(self, *, antiforgery: bool = False) -> Pair:
        """Return a new pair."""
        cookie = secrets.token_urlsafe(12) if antiforgery else None
        pair = Pair(f"access-{secrets.token_urlsafe(18)}", f"refresh-{secrets.token_urlsafe(18)}", cookie)
        self._drop_expired()
        self._access[pair.access] = (self._clock() + self.lifetime, pair)
        self._refresh[pair.refresh] = pair
        return pair

    def redeem(self, refresh: str, cookie: str | None = None) -> Pair | None:
        """Return a new pair for a refresh token, which is used up by it; None where it is not good."""
        pair = self._refresh.get(refresh)
        if pair is None or pair.cookie != (cookie if pair.cookie else None):
            return None
        del self._refresh[refresh]
        return self.issue(antiforgery=pair.cookie is not None)

    def is_good(self, access: str | None, cookie: str | None = None) -> bool:
        """Whether an access token, with its cookie where it needs one, opens the door."""
        expires, pair = self._access.get(access or "", (0.0, None))
        return pair is not None and self._clock() < expires and pair.cookie in {None, cookie}

    def revoke(self, access: str) -> None:
        """Log out: neither half of the pair works any more."""
        _, pair = self._access.pop(access, (0.0, None))
        if pair:
            self._refresh.pop(pair.refresh, None)

    def revoke_all(self) -> None:
        """Forget every pair, as a server does that was started anew."""
        self._access.clear()
        self._refresh.clear()

    def _drop_expired(self) -> None:
        now = self._clock()
        self._access = {access: held for access, held in self._access.items() if held[0] > now}
