"""Rows of /Proxies, /BackupRepositories and /objectstoragerepositories, /License and /Health.

Sources: Veeam's manuals of v3 to v5, its OpenAPI files of v6 to v8. What cannot be read is None.
"""

from collections.abc import Mapping

import msgspec

from watcher.core.watchdog.survey import Health, License, Proxy, Repository
from watcher.vb365.decode import UnreadableError, fields, moment_or_none, sub, text, truth, whole

_GIGABYTE = 1024**3
_HEALTHY = {"healthy": True, "unhealthy": False, "degraded": False}
_ONLINE = {"online": True, "offline": False}


def read_proxy(raw: msgspec.Raw) -> Proxy:
    """Read a proxy; one in maintenance (v8) may be offline on purpose."""
    row = _row(raw)
    name = text(row.get("hostname")) or text(row.get("fqdn"))
    proxy_id, state = text(row.get("id")) or "", (text(row.get("maintenancemodestate")) or "disabled").lower()
    status = (text(row.get("status")) or "").lower()
    return Proxy(proxy_id, name or proxy_id, _ONLINE.get(status), in_maintenance=state != "disabled")


def read_repository(raw: msgspec.Raw) -> Repository:
    """Read a repository. Of one that is extended by object storage, its own sizes are those of a cache.

    On v8 the object storage stands in it; before, it has a listing of its own.
    """
    row = _row(raw)
    bucket = sub(row.get("objectstorage"))
    total, free = _limited(bucket) if bucket else _disk(row)
    repository_id = text(row.get("id")) or ""
    return Repository(
        repository_id,
        text(row.get("name")) or repository_id,
        total,
        free,
        truth(row.get("isoutoforder")),
        text(row.get("outoforderreason")),
        text(row.get("proxyid")),
    )


def read_bucket(raw: msgspec.Raw) -> Repository:
    """Read a row of /objectstoragerepositories (v6 and v7)."""
    row = _row(raw)
    total, free = _limited(row)
    bucket_id = text(row.get("id")) or ""
    return Repository(bucket_id, text(row.get("name")) or bucket_id, total, free)


def read_license(body: bytes) -> License:
    """Read /License; v7 renamed its dates. Raises UnreadableError."""
    row = fields(body)
    return License(
        text(row.get("licenseid")) or "license",
        (text(row.get("status")) or "").lower() == "expired",
        moment_or_none(row.get("licenseexpires")) or moment_or_none(row.get("expirationdate")),
        moment_or_none(row.get("graceperiodexpires")),
        whole(row.get("totalnumber")),
        whole(row.get("usednumber")),
    )


def read_health(body: bytes) -> Health:
    """Read /Health (v8); raises UnreadableError for a body that has no status, as a proxy in between sends it."""
    row = fields(body)
    status = _HEALTHY.get((text(row.get("status")) or "").lower())
    if status is None:
        raise UnreadableError("it has no status")
    entries = {name: sub(entry) for name, entry in sub(row.get("entries")).items()}
    ills = (_ill(name, entry) for name, entry in sorted(entries.items()))
    return Health(status, () if status else tuple(ill for ill in ills if ill))


def _ill(name: str, entry: Mapping[str, object]) -> str:
    if _HEALTHY.get((text(entry.get("status")) or "").lower()) is not False:
        return ""
    said = text(entry.get("description"))
    return f"{name} ({said})" if said else name


def _disk(row: Mapping[str, object]) -> tuple[int | None, int | None]:
    """Return size and free bytes of a disk; before v6 both may be named without their unit."""
    if text(row.get("objectstorageid")):
        return None, None
    total, free = whole(row.get("capacitybytes")), whole(row.get("freespacebytes"))
    return total or whole(row.get("capacity")), free if free is not None else whole(row.get("freespace"))


def _limited(row: Mapping[str, object]) -> tuple[int | None, int | None]:
    """Return the limit of an object storage and what is left of it; without a limit there is no percent."""
    limit, used = whole(row.get("sizelimitgb")), whole(row.get("usedspacebytes"))
    if not truth(row.get("sizelimitenabled")) or not limit:
        return None, None
    total = limit * _GIGABYTE
    return total, max(0, total - used) if used is not None else whole(row.get("freespacebytes"))


def _row(raw: msgspec.Raw) -> dict[str, object]:
    try:
        return fields(raw)
    except UnreadableError:
        return {}
