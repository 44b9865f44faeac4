"""The text of settings.example.env, made from the table so that the two cannot disagree."""

import sys
from collections.abc import Iterator
from textwrap import wrap

from watcher.settings.setting import Setting
from watcher.settings.table import TABLE

_WIDTH = 118
_HEAD = """\
# Settings of vb365-watcher, for `watcher run --env-file FILE`; the same names work in the environment.
# Take the `#` off what you set. Beside each name stands its default, or an example where there is none.
#
# One NAME=value a line, taken word for word to the end of the line: no escapes, no `$`. One pair of quotes around a
# value is taken off. An empty value is as good as none, but switches WATCHER_LISTEN off.
# A duration is seconds (30, 0.2) or 500ms, 30s, 5m, 2h, 1d.
# Command line wins over environment, environment over this file, this file over watcher.toml.
#
# A secret may stand in a file of its own: NAME_FILE=/path; or among systemd's credentials, under its name in lower case
# without WATCHER_ (`password`, `channels`, …). A credential counts where neither the environment nor this file sets the
# secret; of two values in two places a warning says which one counts. Keep this file to its owner (chmod 600).
"""


def example_env() -> str:
    """Return the whole text of settings.example.env."""
    return "\n".join((_HEAD, *(f"{_paragraph(setting)}\n" for setting in TABLE)))


def _paragraph(setting: Setting[object]) -> str:
    return "\n".join((*_about(setting), f"#{setting.variable}={_value(setting)}"))


def _about(setting: Setting[object]) -> Iterator[str]:
    yield from wrap(setting.about, _WIDTH, initial_indent="# ", subsequent_indent="# ")
    if setting.secret:
        yield f"# Secret: {setting.variable}_FILE, or the credential `{setting.key}`."
    if setting.default is None:
        yield "# No default; an example:"


def _value(setting: Setting[object]) -> str:
    return setting.sample if setting.default is None else setting.default


if __name__ == "__main__":
    sys.stdout.write(example_env())
