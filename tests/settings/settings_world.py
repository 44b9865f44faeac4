"""A place of its own for each test: an empty folder in which settings are looked for."""

from collections.abc import Mapping
from pathlib import Path

from watcher.settings import Settings, SettingsError, Usual, load

LOGIN: Mapping[str, str] = {
    "WATCHER_URL": "https://vb.example.com:4443",
    "WATCHER_USERNAME": "DOM\\watcher",
    "WATCHER_PASSWORD": "correct horse",
    "WATCHER_CHANNELS": "ops=json://receiver.example.com/hook",
    "WATCHER_TIMEZONE": "Europe/Zurich",
}
"""The least that makes settings hold without a warning."""


class World:
    """The files that a test writes, and what loading them gives."""

    def __init__(self, folder: Path) -> None:
        """Start with empty folders."""
        self.etc = folder / "etc"
        self.credentials = folder / "credentials"
        self.etc.mkdir()
        self.credentials.mkdir()
        self._usual = Usual(settings=self.etc, state=folder / "var")

    def write(self, name: str, text: str, mode: int = 0o600) -> Path:
        """Write a file of settings or of a secret."""
        path = self.etc / name
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
        return path

    def credential(self, name: str, text: str) -> None:
        """Put a credential where systemd would."""
        (self.credentials / name).write_text(text, encoding="utf-8")

    def load(
        self,
        environ: Mapping[str, str] | None = None,
        *,
        options: Mapping[str, str] | None = None,
        need_secrets: bool = True,
    ) -> Settings:
        """Load settings from a good login, with `environ` over it and the files that were written below it."""
        own = {"CREDENTIALS_DIRECTORY": str(self.credentials), "HOME": str(self.etc)}
        return load(
            options=options or {},
            environ=own | dict(LOGIN) | dict(environ or {}),
            need_secrets=need_secrets,
            usual=self._usual,
        )

    def bare(
        self,
        environ: Mapping[str, str] | None = None,
        *,
        options: Mapping[str, str] | None = None,
        need_secrets: bool = True,
    ) -> Settings:
        """Load settings from nothing but what is given and written."""
        empty = dict.fromkeys(LOGIN, "")
        return self.load(empty | dict(environ or {}), options=options, need_secrets=need_secrets)

    def problems(self, environ: Mapping[str, str] | None = None, *, need_secrets: bool = True) -> tuple[str, ...]:
        """Return the mistakes that loading finds, without the folder in them."""
        try:
            self.load(environ, need_secrets=need_secrets)
        except SettingsError as error:
            return tuple(self.local(problem) for problem in error.problems)
        return ()

    def bare_problems(self, environ: Mapping[str, str] | None = None) -> tuple[str, ...]:
        """Return the mistakes in what is given and written alone."""
        return self.problems(dict.fromkeys(LOGIN, "") | dict(environ or {}))

    def local(self, text: str) -> str:
        """Cut the test's folder out of a sentence."""
        return text.replace(f"{self.etc}/", "")
