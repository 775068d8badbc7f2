"""What headquarters understands of a record. Pure: bytes in, a reading out; what it cannot interpret it flags."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from holdfast_contract.body import Posting, effects
from holdfast_contract.events import TYPES, decode_body
from holdfast_contract.ledger import Move, Post
from holdfast_contract.record import BadRecordError, Record, decode_record

LARGEST = 10**15
"""Units or minor units of one move or post. Beyond it the effect is refused, so that a balance stays within 64 bits."""
INT64 = 2**63
UNDECODABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises on bytes that are not the message asked for: misfit, text that is not UTF-8, nesting too deep."""


FINE = ""
UNKNOWN_TYPE = "unknown_type"
"""A newer hub's event. Its moves and posts count."""
BAD_BODY = "bad_body"
"""The body does not fit its type. Its moves and posts count."""
BAD_EFFECTS = "bad_effects"
"""Its moves and posts cannot be read, so no fold counts them."""


class Reading(NamedTuple):
    type: str
    at: int
    """UTC milliseconds by the hub's clock."""
    flag: str
    """What was odd about it: FINE, UNKNOWN_TYPE, BAD_BODY or BAD_EFFECTS. The raw bytes are kept whatever it is."""
    moves: tuple[Move, ...]
    posts: tuple[Post, ...]


Effects = tuple[tuple[Move, ...], tuple[Post, ...]]


def read(data: bytes, seq: int) -> Reading:
    """Raises BadRecordError unless `data` is record `seq`."""
    record = decode_record(data)
    if record.seq != seq:
        raise BadRecordError(f"record {record.seq} stands where {seq} belongs")
    if not -INT64 <= record.at < INT64:
        raise BadRecordError(f"record {seq}: time beyond 64 bits")
    flag, (moves, posts) = _interpret(record)
    return Reading(record.type, record.at, flag, moves, posts)


def _interpret(record: Record) -> tuple[str, Effects]:
    flag = FINE if record.type in TYPES else UNKNOWN_TYPE
    try:
        body = decode_body(record)
    except UNDECODABLE:
        body, flag = None, BAD_BODY
    try:
        found = (body.moves, body.posts) if isinstance(body, Posting) else effects(bytes(record.body))
    except UNDECODABLE:
        return BAD_EFFECTS, ((), ())
    return (flag, found) if _bounded(*found) else (BAD_EFFECTS, ((), ()))


def _bounded(moves: tuple[Move, ...], posts: tuple[Post, ...]) -> bool:
    if not (moves or posts):
        return True
    amounts = [move.qty for move in moves]
    amounts += [post.amount for post in posts]
    return min(amounts) >= -LARGEST and max(amounts) <= LARGEST


def read_effects(data: bytes) -> Effects:
    """Moves and posts of a stored record that was not flagged BAD_EFFECTS."""
    return effects(bytes(decode_record(data).body))
