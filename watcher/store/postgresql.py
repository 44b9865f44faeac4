"""PostgreSQL as this store needs it: psycopg 3, found only when it is asked for, and never waited for without end."""

from datetime import timedelta

from sqlalchemy import URL, Engine, create_engine

from watcher.store.errors import StoreError

_PATIENT_CONNECTION = {
    "connect_timeout": 5,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
    "application_name": "vb365-watcher",
}
"""libpq's parameters: a host that has gone silent is noticed in seconds, not after TCP's two hours."""


def server_engine(url: URL, *, read_only: bool, patience: timedelta) -> Engine:
    """Prepare connections to a server; what the URL itself says of a parameter wins."""
    defaults = _PATIENT_CONNECTION | {"options": _options(patience)}
    try:
        return create_engine(
            url.set(drivername="postgresql+psycopg"),
            connect_args={key: value for key, value in defaults.items() if key not in url.query},
            execution_options={"postgresql_readonly": True} if read_only else {},
            pool_pre_ping=True,  # a server that was restarted between two looks costs no look
            hide_parameters=True,
        )
    except ImportError as error:
        raise StoreError(
            "PostgreSQL needs the extra `postgres`: pip install 'vb365-watcher[postgres]'", passing=False
        ) from error


def _options(patience: timedelta) -> str:
    # In another zone the calendar's first or last day lies outside of it, and psycopg could not read it.
    return f"-c TimeZone=UTC -c lock_timeout={patience // timedelta(milliseconds=1)}"
