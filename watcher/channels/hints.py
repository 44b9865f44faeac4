"""What to say of a URL that gives no channel; nothing of the URL but its scheme."""

from difflib import get_close_matches

from watcher.channels.services import services

_RETIRED = {"msteams": "workflows", "teams": "workflows", "telegram": "tgram", "smtp": "mailto", "smtps": "mailtos"}


def what_is_wrong(url: str) -> str:
    """Return why Apprise makes nothing of a URL, and what would be better."""
    scheme, found, _ = url.partition("://")
    scheme = scheme.lower()
    if not found or not scheme.replace("+", "").replace("-", "").isalnum():
        return "this is no URL; a channel is scheme://…, as ntfy://, mailto:// or webhook+https://"
    if scheme in services():
        return what_is_missing(scheme)
    if scheme in {"http", "https"}:
        return f"{scheme}:// is no channel; a webhook is webhook+{scheme}://…, a service has its own scheme"
    known = ["webhook+http", "webhook+https", *services().schemas()]
    near = [_RETIRED[scheme]] if scheme in _RETIRED else get_close_matches(scheme, known, n=1, cutoff=0.7)
    hint = f"use {near[0]}:// instead" if near else "https://appriseit.com/services/ lists the schemes of Apprise"
    return f"there is no {scheme}://; {hint}"


def what_is_missing(scheme: str) -> str:
    """Return why a known scheme gives no channel: a library that is not there, or the rest of the URL."""
    plugin = services()[scheme]
    if not plugin.enabled:
        needed = plugin.requirements.get("packages_required") or ["an optional library"]
        names = ", ".join([needed] if isinstance(needed, str) else map(str, needed))
        return f"{scheme}:// needs {names}, which is not installed"
    return (
        f"the rest of the {scheme}:// URL does not hold; {plugin.setup_url or 'https://appriseit.com'} says how it goes"
    )
