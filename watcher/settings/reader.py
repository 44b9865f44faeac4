"""Reads settings out of layers: the first layer that has a value wins, a `_FILE` is opened, the text is parsed."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from watcher.settings.disk import content, is_open_to_others, why
from watcher.settings.layer import Layer, Written
from watcher.settings.notes import Notes
from watcher.settings.setting import Setting
from watcher.settings.table import DATABASE_URL

_T = TypeVar("_T")
_D = TypeVar("_D")


@dataclass(frozen=True, slots=True)
class Reader:
    """The layers in their order, strongest first, and the notes in which mistakes gather.

    `need_secrets`: whether a secret file that cannot be read is a mistake; commands that only read do without.
    """

    layers: tuple[Layer, ...]
    notes: Notes
    need_secrets: bool = True

    def with_own(self, *own: Layer) -> "Reader":
        """Return a reader for one table: its own layers win over everything but the command line."""
        return replace(self, layers=(self.layers[0], *own, *self.layers[1:]))

    def of(self, *layers: Layer) -> "Reader":
        """Return a reader that looks in these layers only."""
        return replace(self, layers=layers)

    def find(self, setting: Setting[object]) -> Written | None:
        """Return what is written for a setting in the strongest layer that has it."""
        return next((layer[setting.key] for layer in self.layers if setting.key in layer), None)

    def optional(self, setting: Setting[_T]) -> _T | None:
        """Read a setting that need not be there. None if it is not, or does not hold (which is noted)."""
        written = self.find(setting)
        return self._parsed(setting, written, None) if written else None

    def value(self, setting: Setting[_T]) -> _T:
        """Read a setting that has a default, which also stands in for a value that does not hold (and is noted)."""
        if setting.default is None:
            raise LookupError(f"{setting.variable} has no default")
        default = setting.parse(setting.default)
        written = self.find(setting)
        return self._parsed(setting, written, default) if written else default

    def _parsed(self, setting: Setting[_T], written: Written, instead: _D) -> _T | _D:
        text = self._text(setting, written)
        if text is None:
            return instead
        try:
            return setting.parse(text)
        except ValueError as error:
            self.notes.problem(written.where, str(error))
            return instead

    def _text(self, setting: Setting[object], written: Written) -> str | None:
        if not written.in_file:
            return written.text
        return self._file(written, needed=self.need_secrets or setting is DATABASE_URL)

    def _file(self, written: Written, *, needed: bool) -> str | None:
        path = Path(written.text)
        try:
            text = content(path)
        except (OSError, ValueError) as error:
            if needed:
                self.notes.problem(written.where, f"{path} cannot be read: {why(error)}")
            return None
        if not written.guarded and is_open_to_others(path):
            self.notes.warn(written.where, f"{path} can be read by others than its owner: `chmod 600` it")
        return text
