"""Messages between hub and headquarters, and their bytes.

Payloads are msgpack maps behind one lead byte: 0 plain, 1 zlib. Content type `application/vnd.holdfast.v1+msgpack`.
Every size read from the wire has a cap.
"""

from __future__ import annotations

import hashlib
import zlib
from enum import IntEnum, StrEnum
from typing import TypeVar

import msgspec

CONTENT_TYPE = "application/vnd.holdfast.v1+msgpack"
MAX_PAYLOAD = 512 * 1024
"""Bytes of one MQTT payload."""
MAX_UNPACKED = 4 * 1024 * 1024
"""Bytes after decompression."""


class Stream(StrEnum):
    """`ev` is exactly the journal, in order, never dropped; `tm` and `dg` may be thinned."""

    EV = "ev"
    TM = "tm"
    DG = "dg"


class Lead(IntEnum):
    PLAIN = 0
    ZLIB = 1


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """A run of records of one stream, `first` .. `first + n - 1`, without gap."""

    v: int = 1
    hub: str
    inc: int
    jid: int
    st: Stream
    first: int
    n: int
    prev: bytes = b""
    """Chain hash before `first`; `ev` only."""
    sent: int
    """UTC milliseconds when it was put together."""
    recs: tuple[bytes, ...]
    """Stored record bytes, untouched."""


class Ack(msgspec.Struct, frozen=True, kw_only=True):
    """Headquarters has committed everything up to `upto` and its chain there ends in `hash`."""

    st: Stream
    inc: int
    jid: int
    upto: int
    hash: bytes = b""
    core: str


class Presence(StrEnum):
    ONLINE = "online"
    DRAINING = "draining"
    OFFLINE = "offline"
    LOST = "lost"


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """Retained, and the will. A death whose (boot, conn) is older than the last birth is stale."""

    st: Presence
    boot: int
    conn: int
    ts: int


class Birth(msgspec.Struct, frozen=True, kw_only=True):
    """Sent on every connect. Headquarters answers with an Ack for each stream it keeps."""

    software: str
    schema: int
    hub: str
    inc: int
    jid: int
    genesis: bytes
    boot: int
    conn: int
    oldest: int
    next: int
    """Next seq of `ev`."""
    tm_next: int = 1
    clk: int
    devices: dict[str, str] = {}
    """Device name to state."""
    speed: int = 1
    """Counter clock factor; more than 1 marks a demo."""
    contact: str = ""
    """Where to report a vulnerability."""


class CoreStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Headquarters' heartbeat, every 30 s and retained; its age by the hub's monotonic clock is what counts."""

    up: bool
    core: str
    ts: int


STOCK_DIGEST = "stock.digest"
"""Name of the telemetry record that carries a Digest."""


class Digest(msgspec.Struct, frozen=True, kw_only=True):
    """Report on `tm`: what the hub's folds say at `as_of_seq`."""

    as_of_seq: int
    head: bytes
    """Chain hash at as_of_seq."""
    stock: bytes
    """fold_hash over stock balances."""
    money: bytes
    """fold_hash over account balances."""
    skus: int


def fold_hash(rows: list[tuple[str, int, int]] | list[tuple[str, int]]) -> bytes:
    """SHA-256 over the sorted non-zero rows `(sku, place, qty)` or `(account, amount)` (G-10)."""
    digest = hashlib.sha256()
    for row in sorted(rows):
        if row[-1]:
            digest.update(msgspec.msgpack.encode(row))
    return digest.digest()


class Telemetry(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One record of `tm` or `dg`."""

    seq: int
    at: int
    name: str
    """Registry name, e.g. `stock.digest`, `power.reading`, `outbox.depth`."""
    body: msgspec.Raw


T = TypeVar("T")


class BadPayloadError(ValueError):
    """Not a message of this contract. `reason` is a stable key: `too_large`, `bad_lead`, `bad_zlib`, `bad_msgpack`."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


def pack(message: msgspec.Struct, *, compress: bool = False) -> bytes:
    """The payload of a message."""
    plain = msgspec.msgpack.encode(message)
    if compress:
        return bytes([Lead.ZLIB]) + zlib.compress(plain, 6)
    return bytes([Lead.PLAIN]) + plain


def unpack(payload: bytes, kind: type[T]) -> T:
    """Raises BadPayloadError. Never unpacks more than MAX_UNPACKED bytes."""
    if not payload or len(payload) > MAX_PAYLOAD:
        raise BadPayloadError("too_large" if payload else "bad_lead", f"{len(payload)} bytes")
    body = _plain(payload[0], payload[1:])
    try:
        return msgspec.msgpack.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadPayloadError("bad_msgpack", str(error)) from error


def _plain(lead: int, body: bytes) -> bytes:
    if lead == Lead.PLAIN:
        return body
    if lead != Lead.ZLIB:
        raise BadPayloadError("bad_lead", str(lead))
    inflater = zlib.decompressobj()
    try:
        plain = inflater.decompress(body, MAX_UNPACKED)
    except zlib.error as error:
        raise BadPayloadError("bad_zlib", str(error)) from error
    if inflater.unconsumed_tail:
        raise BadPayloadError("too_large", f"more than {MAX_UNPACKED} bytes unpacked")
    if not inflater.eof:
        raise BadPayloadError("bad_zlib", "ended early")
    return plain
