"""Whether others than this machine may reach the page: that has to be said twice."""

from watcher.settings.address import may_listen
from watcher.settings.reader import Reader
from watcher.settings.table import ADMIN_TOKEN, LISTEN


def check_exposure(reader: Reader) -> None:
    """Refuse to serve others by mistake: that an address they can reach is meant says a token, or a word."""
    where, written = reader.value(LISTEN), reader.find(LISTEN)
    if where is None or written is None or not reader.need_secrets:
        return
    if not may_listen(where, has_token=reader.find(ADMIN_TOKEN) is not None):
        reader.notes.problem(
            written.where,
            "others can reach this address: set WATCHER_ADMIN_TOKEN as well, listen on 127.0.0.1, "
            f"or say `{written.text.strip()} insecure` if anybody may read the page",
        )
