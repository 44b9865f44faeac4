"""What is about to break: health, proxies, repositories and the licence of a server."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from watcher.core.event import (
    LICENSE_EXPIRING,
    PROXY_OFFLINE,
    REPOSITORY_INVALID,
    REPOSITORY_LOW,
    SERVER_UNHEALTHY,
    Thing,
)
from watcher.core.render.units import number, size
from watcher.core.watchdog.alarm import Alarm, Key, Says, Verdict
from watcher.core.watchdog.limits import Limits
from watcher.core.watchdog.survey import Health, License, Part, Proxy, Repository, Survey

RISES_BY = 2
"""A repository has to be so many percent above the first limit to be out of danger: one at the edge is told once."""

OVER_USE = "/use"
_DAY = timedelta(days=1)


def parts_of(limits: Limits) -> frozenset[Part]:
    """Return the parts that have to be read for the rules that are on."""
    asks = {
        Part.HEALTH: (limits.unhealthy_after,),
        Part.PROXIES: (limits.proxy_offline_after, limits.repository_invalid_after, limits.disconnected_after),
        Part.REPOSITORIES: (limits.repository_low or None, limits.repository_invalid_after),
        Part.BUCKETS: (limits.repository_low or None,),
        Part.LICENSE: (limits.license_days or None,),
    }
    return frozenset(part for part, rules in asks.items() if any(rule is not None for rule in rules))


def of_survey(survey: Survey, limits: Limits, alarms: Mapping[Key, Alarm], now: datetime) -> Iterator[Verdict]:
    """Yield what the rules say of all that was read."""
    if survey.health is not None:
        yield _health(survey.health, limits)
    away = {proxy.id for proxy in survey.proxies or () if proxy.is_online is False or proxy.in_maintenance}
    for proxy in survey.proxies or ():
        yield _proxy(proxy, limits)
    for one in (*(survey.repositories or ()), *(survey.buckets or ())):
        yield _low(one, limits, alarms.get((REPOSITORY_LOW, one.id)))
        yield _invalid(one, limits, is_explained=one.proxy_id in away)
    if survey.license is not None:
        yield _ending(survey.license, limits, now)
        yield _over_used(survey.license, limits)


def _health(health: Health, limits: Limits) -> Verdict:
    if health.is_healthy or limits.unhealthy_after is None:
        return Verdict(SERVER_UNHEALTHY, "", Says.NO, "it is healthy again")
    ills = "; ".join(health.ills)
    reason = f"it says that it is not healthy{f': {ills}' if ills else ''}"
    return Verdict(SERVER_UNHEALTHY, "", Says.YES, reason, after=limits.unhealthy_after)


def _proxy(proxy: Proxy, limits: Limits) -> Verdict:
    thing = Thing(proxy.id, proxy.name)
    if proxy.in_maintenance:
        return Verdict(PROXY_OFFLINE, proxy.id, Says.NO, "it is in maintenance", thing=thing)
    if proxy.is_online is None:
        return Verdict(PROXY_OFFLINE, proxy.id, Says.UNSURE)
    if proxy.is_online or limits.proxy_offline_after is None:
        return Verdict(PROXY_OFFLINE, proxy.id, Says.NO, "it is online again", thing=thing)
    return Verdict(
        PROXY_OFFLINE, proxy.id, Says.YES, "the proxy is offline", after=limits.proxy_offline_after, thing=thing
    )


def _low(one: Repository, limits: Limits, alarm: Alarm | None) -> Verdict:
    if not one.total or one.total < 0 or one.free is None or not limits.repository_low:
        return Verdict(REPOSITORY_LOW, one.id, Says.UNSURE)
    free = one.free * 100 / one.total
    level = sum(free < percent for percent in limits.repository_low)
    thing, said = Thing(one.id, one.name), f"{size(one.free)} of {size(one.total)} are free"
    if level:
        reason = f"less than {limits.repository_low[level - 1]} %, {said}"
        return Verdict(REPOSITORY_LOW, one.id, Says.YES, reason, level=level - 1, thing=thing)
    is_edge = alarm is not None and free < limits.repository_low[0] + RISES_BY
    return Verdict(REPOSITORY_LOW, one.id, Says.UNSURE if is_edge else Says.NO, said, thing=thing)


def _invalid(one: Repository, limits: Limits, *, is_explained: bool) -> Verdict:
    if one.is_invalid is None or (one.is_invalid and is_explained):
        return Verdict(REPOSITORY_INVALID, one.id, Says.UNSURE)
    thing, after = Thing(one.id, one.name), limits.repository_invalid_after
    if not one.is_invalid or after is None:
        return Verdict(REPOSITORY_INVALID, one.id, Says.NO, "it is valid again", thing=thing)
    reason = f"nothing can be backed up to it or restored from it{f': {one.why}' if one.why else ''}"
    return Verdict(REPOSITORY_INVALID, one.id, Says.YES, reason, after=after, thing=thing)


def _ending(held: License, limits: Limits, now: datetime) -> Verdict:
    """Say how near the end of a licence is: each of the limits, its end, and the end of the grace period are levels."""
    thing, days = Thing(held.id, ""), limits.license_days
    if not days or (held.expires is None and not held.is_expired):
        return Verdict(LICENSE_EXPIRING, held.id, Says.NO, "it does not end", thing=thing)
    left = held.expires - now if held.expires is not None else timedelta(0)
    if held.is_expired or left <= timedelta(0):
        level, reason = _after_the_end(held, len(days), now)
        return Verdict(LICENSE_EXPIRING, held.id, Says.YES, reason, level=level, thing=thing)
    level = sum(left <= limit * _DAY for limit in days)
    if not level:
        return Verdict(
            LICENSE_EXPIRING, held.id, Says.NO, f"it ends in {_days(left)}", until=now + left - days[0] * _DAY
        )
    until = now + left - (days[level] * _DAY if level < len(days) else timedelta(0))
    reason = f"the license ends in {_days(left)}"
    return Verdict(LICENSE_EXPIRING, held.id, Says.YES, reason, level=level - 1, until=until, thing=thing)


def _after_the_end(held: License, levels: int, now: datetime) -> tuple[int, str]:
    if held.grace_ends is None:
        return levels, "the license has ended; after its grace period all scheduled jobs fail"
    if now < held.grace_ends:
        left = _days(held.grace_ends - now)
        return levels, f"the license has ended; in {left} its grace period ends, and all scheduled jobs fail"
    return levels + 1, "the license and its grace period have ended: all scheduled jobs fail"


def _over_used(held: License, limits: Limits) -> Verdict:
    subject, thing = f"{held.id}{OVER_USE}", Thing(f"{held.id}{OVER_USE}", "")
    if not held.total or held.used is None or held.used <= held.total or not limits.license_days:
        return Verdict(LICENSE_EXPIRING, subject, Says.NO, "no more is used than was bought", thing=thing)
    reason = f"{number(held.used)} licenses are used, and {number(held.total)} were bought"
    return Verdict(LICENSE_EXPIRING, subject, Says.YES, reason, thing=thing)


def _days(left: timedelta) -> str:
    days = -(-left // _DAY)
    return f"{days} days" if days != 1 else "a day"
