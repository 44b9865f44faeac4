"""`watcher run`: the daemon."""

import argparse
import logging

from watcher import logs
from watcher.cli.database import store_errors
from watcher.cli.ending import Ending
from watcher.cli.given import settings_of
from watcher.daemon import run
from watcher.settings import Settings, SettingsError

_log = logging.getLogger(__name__)


def execute(args: argparse.Namespace) -> int:
    """Run the daemon until it is told to stop, or once with `--once`."""
    settings = _loaded(args)
    _make_state_folder(settings)

    def reload() -> Settings:
        """Load the settings again; SettingsError if they do not hold."""
        try:
            return _loaded(args)
        except Ending as ending:
            raise SettingsError(ending.lines) from None

    with store_errors():
        return run(settings, once=args.once, reload=reload)


def _loaded(args: argparse.Namespace) -> Settings:
    settings = settings_of(args)
    logs.configure(settings.log_format, settings.log_level, settings.secret_values())
    for warning in settings.warnings:
        _log.warning("%s", warning)
    return settings


def _make_state_folder(settings: Settings) -> None:
    """Make the folder of the default database, readable by its owner only."""
    if settings.state_folder is None:
        return
    try:
        settings.state_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Ending(
            f"{settings.state_folder} cannot be made: {error.strerror}; set WATCHER_DATABASE_URL to another place",
            code=1,
        ) from None
