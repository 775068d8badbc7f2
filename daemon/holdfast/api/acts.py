"""What a caller may ask the hub to do. Everything enters where scans and timers enter: as a command, or as a scan."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from typing import Any

import msgspec
from aiohttp import web

from holdfast.api.answers import answer, decode, outcome_answer, read_body, refusal
from holdfast.api.commands import read_command, read_id
from holdfast.api.explain import explain
from holdfast.api.guard import guarded, masked_names, note_masked
from holdfast.api.peer import actor
from holdfast.api.ports import Hub
from holdfast.domain.catalogue import MAX_BLOB, ImportCatalogue
from holdfast.domain.catalogue_csv import parse_csv
from holdfast.domain.core import Command, Refused
from holdfast.domain.operator import IssueBadge
from holdfast.domain.products import pack
from holdfast.runtime.ids import IdSource
from holdfast_drivers.values import DeviceError, Printed, Scan

MAX_COMMAND = 2 * 1024 * 1024
"""Bytes: a delivery of ten thousand lines fits many times."""
MAX_SMALL = 32 * 1024
MAX_SCAN = 8192
"""Bytes of one scan, as many as a scanner's frame holds."""
MAX_PROBLEMS = 200
PRINT_SECONDS = 30.0
ID_HEADER = "Idempotency-Key"
"""Command id of a request whose body is not JSON."""


class ScanBody(msgspec.Struct, forbid_unknown_fields=True):
    """A scan as a caller states it: `data` is text, or `raw` the bytes in base64."""

    station: str = ""
    data: str = ""
    raw: bytes = b""
    aim: str = ""


class BadgeBody(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    role: str
    id: str = ""


async def command(hub: Hub, request: web.Request) -> web.Response:
    """POST `{do, id, …}`. The same id gives the same outcome; without one every request is a new one."""
    wanted, command_id = read_command(await read_body(request, MAX_COMMAND), hub.commands)
    return await _decided(hub, request, wanted, command_id)


async def catalogue(hub: Hub, request: web.Request) -> web.Response:
    """POST CSV text: the complete catalogue, all of it or nothing. `?check=1` only looks."""
    body = await read_body(request, MAX_BLOB)
    command_id = read_id(request.headers[ID_HEADER]) if ID_HEADER in request.headers else None
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused("catalogue_invalid", detail=f"not UTF-8: {error}") from error
    products, problems = await asyncio.to_thread(parse_csv, text, hub.config.hub.exponent)
    if problems:
        told = [{"line": line, "problem": reason} for line, reason in problems[:MAX_PROBLEMS]]
        raise Refused("catalogue_invalid", problems=told, count=len(problems))
    if request.query.get("check"):
        return answer({"ok": True, "data": {"rows": len(products), "version": None}})
    named = await asyncio.to_thread(masked_names, products)
    if named != products:
        await note_masked(hub, actor(request))
    blob = await asyncio.to_thread(pack, named)
    return await _decided(hub, request, ImportCatalogue(version=0, blob=blob), command_id)


async def badge(hub: Hub, request: web.Request) -> web.Response:
    """POST `{name, role, id}`: issues a badge. Its barcode text, tag included, is told this once."""
    asked = decode(await read_body(request, MAX_SMALL), BadgeBody)
    command_id = read_id(asked.id) if asked.id else IdSource(hub.clock)()
    badge_id = _badge_id(command_id)
    who = actor(request)
    wanted = await guarded(hub, IssueBadge(badge=badge_id, name=asked.name, role=asked.role), actor=who)
    outcome = await hub.execute(wanted, actor=who, command_id=command_id)
    if not outcome.ok:
        return outcome_answer(outcome)
    told = {"badge": badge_id, "name": wanted.name, "role": wanted.role, "text": hub.badge_text(badge_id)}
    return answer({"ok": True, "data": told, "seq": outcome.seq})


async def scan(hub: Hub, request: web.Request) -> web.Response:
    """POST `{station, data}`: a scan, by the same road as a scanner's (INV-0.3)."""
    body = decode(await read_body(request, MAX_SMALL), ScanBody)
    if body.station not in {station.name for station in hub.config.stations}:
        raise Refused("invalid", detail=f"no station {body.station!r}")
    return outcome_answer(await hub.scan(body.station, _scan(hub, body)))


async def scan_test(hub: Hub, request: web.Request) -> dict[str, Any]:
    """POST `{data}`: what that scan is, and what it would do. Does nothing."""
    body = decode(await read_body(request, MAX_SMALL), ScanBody)
    return await explain(hub, _scan(hub, body))


async def print_test(hub: Hub, _: web.Request) -> web.Response:
    """POST: a test page. Says whether the printer proved it."""
    try:
        async with asyncio.timeout(PRINT_SECONDS):
            result = await hub.print_test()
    except TimeoutError:
        return answer({"ok": False, "data": {"outcome": Printed.UNKNOWN.value, "proof": "none", "reason": "timeout"}})
    except DeviceError as error:
        return refusal("device_absent", {"detail": str(error)})
    told = {"outcome": result.outcome.value, "proof": result.proof.name.lower(), "reason": result.reason}
    return answer({"ok": result.outcome is Printed.PRINTED, "data": told})


async def _decided(hub: Hub, request: web.Request, wanted: Command, command_id: bytes | None) -> web.Response:
    who = actor(request)
    wanted = await guarded(hub, wanted, actor=who)
    return outcome_answer(await hub.execute(wanted, actor=who, command_id=command_id))


def _scan(hub: Hub, body: ScanBody) -> Scan:
    data = body.raw or body.data.encode()
    if not 0 < len(data) <= MAX_SCAN or len(body.aim) > 3:
        raise Refused("invalid", detail=f"a scan is 1 to {MAX_SCAN} bytes, an AIM identifier 3 characters")
    return Scan(data=data, aim=body.aim, at=hub.clock.monotonic())


def _badge_id(command_id: bytes) -> str:
    """Eight characters that follow from the request, so that the same request issues the same badge."""
    return base64.b32encode(hashlib.sha256(b"badge\n" + command_id).digest()[:5]).decode()
