"""What the server says of itself: its instance, health, proxies, repositories, licence, settings, and its tokens."""

from datetime import datetime, timedelta
from typing import Any

from watcher.demo.estate import Proxy, Repository
from watcher.demo.tokens import Pair
from watcher.demo.wire import Wire
from watcher.demo.world import World


def token_body(wire: Wire, pair: Pair, username: str, issued: datetime, lifetime: float) -> dict[str, Any]:
    """Return a token answer; the keys of its two times begin with a dot, `userName` is optional from v8."""
    body: dict[str, Any] = {
        "access_token": pair.access,
        "token_type": "bearer",
        "expires_in": int(lifetime),
        "refresh_token": pair.refresh,
        ".issued": wire.time(issued),
        ".expires": wire.time(issued + timedelta(seconds=lifetime)),
    }
    return body if wire.version >= 8 else body | {"userName": username}


def instance_body(world: World) -> dict[str, Any]:
    """Return ServiceInstance: what the server is known by, and its build."""
    return {"installationId": world.installation_id, "version": world.version}


def portal_body(wire: Wire, world: World) -> dict[str, Any]:
    """Return RestorePortalSettings, which needs no login."""
    body = {
        "applicationId": world.installation_id,
        "msalAuthorityUri": "https://login.microsoftonline.com/common",
        "isEnabled": False,
    }
    return body if wire.version == 6 else body | {"restorePortalUri": wire.base}


def health_body(world: World) -> dict[str, Any]:
    """Return Health (v8); `world.unhealthy` names what is ill, with the description."""
    entries = {
        name: {
            "status": "Unhealthy" if name in world.unhealthy else "Healthy",
            "description": world.unhealthy.get(name),
        }
        for name in ("configurationDb", "nats")
    }
    return {"status": "Unhealthy" if world.unhealthy else "Healthy", "entries": entries}


def proxy_body(wire: Wire, proxy: Proxy) -> dict[str, Any]:
    """Return one proxy: threads up to v7, a full name from v7, its machine and maintenance on v8."""
    body: dict[str, Any] = {
        "id": proxy.id,
        "type": "Domain",
        "hostName": proxy.host,
        "description": "",
        "port": 9193,
        "status": "Online" if proxy.online else "Offline",
        "_links": wire.links(self=("Proxies", proxy.id)),
    }
    if wire.version <= 7:
        body["threadsNumber"] = 64
    if wire.version >= 7:
        body["fqdn"] = f"{proxy.host}.alderwood.example"
    if wire.version >= 8:
        body |= {
            "operatingSystem": "Windows",
            "maintenanceModeState": "Enabled" if proxy.maintenance else "Disabled",
            "cpuUsagePercent": 12.5 if proxy.online else None,
            "memoryUsagePercent": 41.0 if proxy.online else None,
            "version": proxy.version,
            "role": ["Processor"],
            "proxyPoolId": None,
        }
    return body


def repository_body(wire: Wire, repository: Repository) -> dict[str, Any]:
    """Return one repository; a bucket's size stands in it on v8 and in an own listing before."""
    body: dict[str, Any] = {
        "id": repository.id,
        "name": repository.name,
        "description": "",
        "path": rf"D:\{repository.name}",
        "proxyId": repository.proxy_id,
        "capacityBytes": repository.capacity,
        "freeSpaceBytes": repository.free,
        "isOutOfSync": False,
        "isLongTerm": False,
        "_links": wire.links(self=("BackupRepositories", repository.id)),
    }
    if wire.version < 8:
        return body | {"objectStorageId": repository.id if repository.object_storage else None}
    body |= {
        "isOutdated": False,
        "isIndexed": True,
        "isMigrationLocked": False,
        "isOutOfOrder": repository.invalid is not None,
        "outOfOrderReason": repository.invalid,
    }
    return body | ({"objectStorage": _bucket(repository)} if repository.object_storage else {})


def object_storage_body(wire: Wire, repository: Repository) -> dict[str, Any]:
    """Return a bucket as v6 and v7 list it."""
    named = {"name": repository.name, "description": ""}
    return _bucket(repository) | named | {"_links": wire.links(self=("objectstoragerepositories", repository.id))}


def license_body(wire: Wire, world: World) -> dict[str, Any]:
    """Return the licence; v7 renamed its dates. Both are null where it does not expire."""
    held = world.license
    body: dict[str, Any] = {
        "licenseID": held.id,
        "status": "Valid" if held.valid else "Expired",
        "type": "Subscription" if held.expires else "Community",
        "licensedTo": held.licensed_to,
        "email": "it@alderwood.example",
        "totalNumber": held.total,
        "usedNumber": held.used,
        "newNumber": held.new,
        "supportID": "01234567",
    }
    if wire.version <= 6:
        dates = {"expirationDate": wire.time(held.expires), "supportExpirationDate": wire.time(held.expires)}
        return body | dates | {"contactPerson": ""}
    grace = held.expires + held.grace if held.expires else None
    return body | {
        "licenseExpires": wire.time(held.expires),
        "gracePeriodExpires": wire.time(grace),
        "package": "M365Suite",
    }


def mail_body(wire: Wire, world: World) -> dict[str, Any]:
    """Return VboEmailSettings; `supressUntilLastRetry` is spelt so in all versions."""
    mail = world.mail
    body: dict[str, Any] = {
        "enableNotification": mail.enabled,
        "smtpServer": "smtp.alderwood.example",
        "port": 587,
        "useAuthentication": False,
        "useSSL": True,
        "from": "backup@alderwood.example",
        "to": "it@alderwood.example",
        "subject": "[%JobResult%] %OrgName% - %JobName% (%ObjectCount% objects), %Issues% issues",
        "notifyOnSuccess": mail.on_success,
        "notifyOnWarning": mail.on_warning,
        "notifyOnFailure": mail.on_failure,
        "supressUntilLastRetry": mail.until_last_retry,
        "attachDetailedReport": False,
        "_links": wire.links(self=("VboEmailSettings",)),
    }
    return body if wire.version == 6 else body | {"authenticationType": "CustomSmtp", "isAuthenticated": None}


def history_body(wire: Wire, world: World) -> dict[str, Any]:
    """Return HistorySettings: whether all sessions are kept, else for how many weeks."""
    return {
        "keepAllsessions": world.keep_weeks is None,
        "keeponlyLast": world.keep_weeks,
        "_links": wire.links(self=("HistorySettings",)),
    }


def _bucket(repository: Repository) -> dict[str, Any]:
    return {
        "id": repository.id,
        "type": "AmazonS3Compatible",
        "sizeLimitEnabled": True,
        "sizeLimitGB": repository.capacity // 1024**3,
        "usedSpaceBytes": repository.capacity - repository.free,
        "freeSpaceBytes": repository.free,
    }
