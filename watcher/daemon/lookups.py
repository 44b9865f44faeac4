"""The threads in which names of hosts are looked up: while a name server is silent, each lookup keeps one of them."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

MOST = 256
"""Lookups at once. Python's own pool has a handful of threads: one channel with a silent name server would take them
all, and no other could reach anybody by name.
"""


class Lookups(ThreadPoolExecutor):
    """Makes threads as they are needed, and leaves those behind at the end that still wait for a name server."""

    def __init__(self) -> None:
        """Start without threads."""
        super().__init__(max_workers=MOST, thread_name_prefix="lookup")

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - its signature
        """Take nothing new, and wait for nothing."""
        del wait, cancel_futures
        super().shutdown(wait=False, cancel_futures=True)


def install() -> None:
    """Use them in the running event loop."""
    asyncio.get_running_loop().set_default_executor(Lookups())
