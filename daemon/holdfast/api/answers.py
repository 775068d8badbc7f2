"""Answers as JSON, refusals alike: `{ok: false, reason, words, detail, data}` and the HTTP status that goes with it."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from holdfast.domain.core import Outcome, Refused
from holdfast.journal.writer import StorageFailedError
from holdfast_contract.reasons import words

log = logging.getLogger(__name__)

READ_SECONDS = 10.0
"""How long a caller may take to send a body."""

STATUS = {
    "invalid": 400,
    "catalogue_invalid": 400,
    "badge_needed": 403,
    "badge_unknown": 403,
    "not_permitted": 403,
    "document_unknown": 404,
    "unknown_code": 404,
    "idempotency_conflict": 422,
    "queue_full": 429,
    "fault": 500,
    "device_absent": 503,
    "stopping": 503,
    "storage_failed": 503,
    "disk_full": 507,
}
"""HTTP status of a refusal; every other one is 409: the hub's state does not allow it now."""

T = TypeVar("T")
_encode = msgspec.json.Encoder().encode


def answer(data: Any, *, status: int = 200) -> web.Response:
    """`data` as JSON. Bytes become base64, enums their value."""
    return web.Response(body=_encode(data), status=status, content_type="application/json")


def refusal(reason: str, facts: dict[str, Any] | None = None, *, status: int | None = None) -> web.Response:
    """A refusal; `detail` among the facts becomes the sentence of that name."""
    data = dict(facts or {})
    detail = str(data.pop("detail", ""))
    body = {"ok": False, "reason": reason, "words": words(reason), "detail": detail, "data": data}
    return answer(body, status=status or STATUS.get(reason, 409))


def outcome_answer(outcome: Outcome) -> web.Response:
    """`{ok: true, data, seq}`, or the refusal."""
    if not outcome.ok:
        return refusal(outcome.reason, outcome.data)
    return answer({"ok": True, "data": outcome.data, "seq": outcome.seq})


@web.middleware
async def json_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The supervision edge of a request: whatever goes wrong, the caller gets a reason."""
    try:
        return await handler(request)
    except Refused as error:
        return refusal(error.reason, error.data)
    except StorageFailedError as error:
        return refusal("storage_failed", {"detail": str(error)})
    except web.HTTPException as error:
        return refusal("invalid", {"detail": error.text or error.reason}, status=error.status)
    except Exception as error:
        if request.transport is None or isinstance(error, ConnectionError):
            raise
        log.exception("%s %s failed", request.method, request.path)
        return refusal("fault", {"detail": repr(error)})


async def read_body(request: web.Request, limit: int) -> bytes:
    """The body, at most `limit` bytes. Raises HTTPRequestEntityTooLarge, Refused(`invalid`) when it does not come."""
    size = request.content_length or 0
    body = bytearray()
    try:
        async with asyncio.timeout(READ_SECONDS):
            while size <= limit and (chunk := await request.content.readany()):
                body += chunk
                size = max(size, len(body))
    except TimeoutError as error:
        raise Refused("invalid", detail=f"the body did not come within {READ_SECONDS:.0f} s") from error
    if size > limit:
        raise web.HTTPRequestEntityTooLarge(limit, size, text=f"the body is larger than {limit} bytes")
    return bytes(body)


def decode(body: bytes, kind: type[T]) -> T:
    """JSON of a known shape. Raises Refused(`invalid`)."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Refused("invalid", detail=str(error)) from error


def rfc3339(at: int) -> str:
    """UTC milliseconds as a timestamp with seconds."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="seconds")


def number(request: web.Request, name: str, *, default: int, least: int, most: int) -> int:
    """A whole number of the query string. Raises Refused(`invalid`)."""
    text = request.query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= most):
        raise Refused("invalid", detail=f"{name} is a number from {least} to {most}")
    return int(text)
