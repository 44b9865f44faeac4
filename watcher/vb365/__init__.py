"""The watched server: login, version, TLS, pages, the wire versions v3 to v8, and one whole look."""

import sys

# httpx looks for its own command line, which brings in click, rich and pygments: 5 MB and 60 ms for nothing.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None is how Python marks "not to be found"
