"""The technician's bench: what is plugged in, whether a device works, what goes over its wire."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal

import msgspec
from aiohttp import web

from holdfast.api.answers import decode, read_body
from holdfast.api.peer import actor
from holdfast.api.ports import DeviceReport, Hub
from holdfast.domain.core import Refused
from holdfast_contract.reasons import FAULTS, REASONS, words
from holdfast_drivers.values import DeviceError

log = logging.getLogger(__name__)

MAX_BODY = 4096


class TestBody(msgspec.Struct, forbid_unknown_fields=True):
    level: Literal["internal", "external", "interactive"] = "internal"


class RecordBody(msgspec.Struct, forbid_unknown_fields=True):
    seconds: Annotated[float, msgspec.Meta(gt=0, le=3600)]


class LogBody(msgspec.Struct, forbid_unknown_fields=True):
    level: Literal["debug", "info", "warning", "error"]


async def devices(hub: Hub, _: web.Request | None = None) -> dict[str, Any]:
    """Configured devices and what to do about those that are not well; and what else is plugged in."""
    return {
        "devices": [_report(report) for report in hub.devices()],
        "others": [_report(report) for report in hub.others()],
    }


async def found(hub: Hub, _: web.Request) -> dict[str, Any]:
    """Every port, what may be on it and why; nothing was asked of any."""
    return {"found": list(hub.workbench.found())}


async def boards(hub: Hub, request: web.Request) -> dict[str, Any]:
    """Battery boards on `?bus=` or the hub's own bus, how sure that is and why. Chips are read, never written to."""
    try:
        with _refusing():
            return dict(await hub.workbench.boards(request.query.get("bus")))
    except ValueError as error:
        raise Refused("invalid", detail=str(error)) from error


async def test(hub: Hub, request: web.Request) -> dict[str, Any]:
    """POST `{level}`: `internal` changes nothing, `external` can be perceived, `interactive` waits for a person."""
    body = decode(await read_body(request, MAX_BODY), TestBody)
    with _refusing():
        told = await hub.workbench.test(request.match_info["name"], body.level)
    return {"ok": told["healthy"] != "no", "data": dict(told)}


async def record(hub: Hub, request: web.Request) -> dict[str, Any]:
    """POST `{seconds}`: a tape of what goes over the device's link, its text masked. Answers when it is full."""
    body = decode(await read_body(request, MAX_BODY), RecordBody)
    with _refusing():
        tape = await hub.workbench.record(request.match_info["name"], body.seconds)
    return {"ok": True, "data": {"tape": tape}}


async def log_level(hub: Hub, request: web.Request) -> dict[str, Any]:
    """POST `{level}`: how much a device says in the log, until the next start."""
    body = decode(await read_body(request, MAX_BODY), LogBody)
    with _refusing():
        hub.workbench.log_level(request.match_info["name"], body.level)
    return {"ok": True, "data": {"level": body.level}}


async def forget(hub: Hub, request: web.Request) -> dict[str, Any]:
    """POST: the device was replaced, learn it anew."""
    with _refusing():
        known = await hub.workbench.forget(request.match_info["name"])
    return {"ok": True, "data": {"known": known}}


async def release(hub: Hub, request: web.Request) -> dict[str, Any]:
    """POST: the hub lets go of the device's port; answers once another program can open it."""
    name = request.match_info["name"]
    with _refusing():
        await hub.workbench.release(name)
    log.warning("%s: released by %s", name, actor(request))
    return {"ok": True, "data": {"where": _where(hub, name)}}


async def claim(hub: Hub, request: web.Request) -> dict[str, Any]:
    """POST: the hub takes the device back."""
    name = request.match_info["name"]
    with _refusing():
        hub.workbench.claim(name)
    log.warning("%s: claimed by %s", name, actor(request))
    return {"ok": True, "data": {"where": _where(hub, name)}}


async def reset_statistics(hub: Hub, request: web.Request) -> dict[str, Any]:
    """POST: UnifiedPOS's ResetStatistics; answers with what the counts were."""
    with _refusing():
        before = hub.workbench.reset_statistics(request.match_info["name"])
    log.info("%s: statistics reset by %s, they were %s", request.match_info["name"], actor(request), dict(before))
    return {"ok": True, "data": {"statistics": dict(before)}}


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except KeyError as error:
        raise Refused("invalid", detail=f"no device {error.args[0]!r} is configured") from error
    except DeviceError as error:
        reason = {"busy": "wrong_mode", "refused": "invalid"}.get(error.kind, "device_absent")
        raise Refused(reason, detail=str(error)) from error


def _where(hub: Hub, name: str) -> str:
    return next((report.where for report in hub.devices() if report.name == name), "")


def _report(report: DeviceReport) -> dict[str, Any]:
    return {
        "name": report.name,
        "kind": report.kind,
        "category": report.category,
        "state": report.state.value,
        "where": report.where,
        "reason": report.reason,
        "words": words(report.reason) if report.reason in REASONS or report.reason in FAULTS else "",
        "facts": dict(report.facts),
        "statistics": dict(report.statistics),
        "equipment": dict(report.equipment),
    }
