"""The way from each older schema to ours, for Alembic; imported only when an older database is opened.

To change the schema: change `watcher/store/schema.py` and its REVISION, and add a revision to `versions/` by hand,
named by the next number. The tests compare what both make, on SQLite and on PostgreSQL.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def is_known(revision: str) -> bool:
    """Whether a revision is among those that this version has."""
    scripts = ScriptDirectory.from_config(_config())
    return any(script.revision == revision for script in scripts.walk_revisions())


def run(connection: Connection, to: str = "head") -> None:
    """Bring a database to the newest revision, or an older one, in the transaction that the connection has open."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, to)
