"""The shape of an event body: a msgpack map with one-letter keys, so that it stays small and can grow.

Two keys mean the same in every body, known type or not: `m` (moves) and `p` (posts).
"""

from __future__ import annotations

import msgspec

from holdfast_contract.ledger import Move, Post


class Body(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Base of all event bodies. Unknown keys are kept in the stored bytes and ignored by older readers."""


class Posting(Body, frozen=True, omit_defaults=True, kw_only=True):
    """A body that moves goods or money."""

    moves: tuple[Move, ...] = msgspec.field(default=(), name="m")
    posts: tuple[Post, ...] = msgspec.field(default=(), name="p")


class _Effects(msgspec.Struct, frozen=True):
    moves: tuple[Move, ...] = msgspec.field(default=(), name="m")
    posts: tuple[Post, ...] = msgspec.field(default=(), name="p")


_effects = msgspec.msgpack.Decoder(_Effects).decode


def effects(body: bytes) -> tuple[tuple[Move, ...], tuple[Post, ...]]:
    """Moves and posts of any event body, of a type known to the reader or not. Raises msgspec.ValidationError."""
    decoded = _effects(body)
    return decoded.moves, decoded.posts
