"""The watched server: login, version, TLS, pages, the wire versions v3 to v8, and one whole look.

Nothing is imported here: what a plain `watcher --help` does not need stays unread.
"""
