"""The services that Apprise knows, loaded one by one: all of them together cost 15 MB and a quarter of a second."""

import re
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from apprise import plugins
from apprise.manager_plugins import NotificationManager

_FOLDER = Path(plugins.__file__).parent
_SCHEMES = re.compile(r"^ {4}(?:secure_)?protocol\s*=\s*(\([^)]*\)|[\"'][^\"']+[\"'])", re.MULTILINE)
_WORD = re.compile(r"[\"']([^\"']+)[\"']")


def services() -> Any:
    """Return Apprise's manager of plugins: a mapping by scheme, with all plugins loaded."""
    manager = _manager()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # what its plugins import is not for our users to mend
        manager.load_modules()
    return manager


def load_service(scheme: str) -> None:
    """Load the plugin of one scheme; where its source does not show which that is, load all."""
    manager = _manager()
    if manager and scheme in manager:
        return
    module = _module_of(scheme)
    if module is None:
        services()
        return
    # Apprise loads what a folder lists. One that lists a single name makes it load that one, by its public way.
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        Path(folder, f"{module}.py").touch()
        manager.load_modules(path=folder, name=plugins.__name__)


def _manager() -> Any:
    return NotificationManager()  # type: ignore[no-untyped-call]  # Apprise types its face, not its inside


def _module_of(scheme: str) -> str | None:
    """Find the one plugin whose source names a scheme; its text is read, not run."""
    found = {name for name, schemes in sources().items() if scheme in schemes}
    return found.pop() if len(found) == 1 else None


def sources() -> dict[str, set[str]]:
    """Return the schemes that each plugin's source names, by module."""
    found: dict[str, set[str]] = {}
    for path in _FOLDER.rglob("*.py"):
        name = path.relative_to(_FOLDER).parts[0].removesuffix(".py")
        for group in _SCHEMES.findall(path.read_text(encoding="utf-8")):
            found.setdefault(name, set()).update(_WORD.findall(group))
    return found
