"""The services that Apprise knows."""

import warnings
from typing import Any

from apprise.manager_plugins import NotificationManager


def services() -> Any:
    """Return Apprise's manager of plugins: a mapping by scheme. The first call loads them all, which takes a while."""
    manager: Any = NotificationManager()  # type: ignore[no-untyped-call]  # Apprise types its face, not its inside
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # what its plugins import is not for our users to mend
        manager.load_modules()
    return manager
