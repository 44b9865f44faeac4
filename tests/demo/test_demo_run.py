"""Where the demo's page is, before anything of it is served."""

import socket

from watcher.demo.run import find_page


def test_any_free_port_is_named_in_the_greeting() -> None:
    """With port 0 the system chooses one, and people have to know which."""
    port, words = find_page(0)
    assert port
    assert words == f"http://127.0.0.1:{port}/"


def test_a_port_in_use_leaves_the_demo_without_a_page() -> None:
    """The greeting says so, and leads nobody to somebody else's page."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        port, words = find_page(taken)
    assert port is None
    assert words == f"none: port {taken} cannot be had (Address already in use); `--port` names another"
