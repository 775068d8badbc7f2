"""Badges: `HFB` + badge id + tag. The tag is a truncated MAC, so that no badge can be made without the fleet's key.

Here a badge is only split and composed; whoever holds the key decides whether the tag is right.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field

from holdfast_drivers.barcodes.errors import CodeError
from holdfast_drivers.barcodes.iso7064 import in_alphabet

PREFIX = "HFB"

TAG_LENGTH = 10
"""Characters of base32: 50 bits. Each guess costs a scan at the counter, so this outlasts any guesser."""

_BASE32 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")


@dataclass(frozen=True, slots=True)
class Badge:
    """A badge as scanned: its tag is claimed, not verified."""

    badge_id: str
    """0-9, A-Z."""
    tag: str = field(repr=False)


def badge_tag(key: bytes, badge_id: str) -> str:
    """HMAC-SHA256 over prefix and id, base32, the first TAG_LENGTH characters. Compare with `hmac.compare_digest`."""
    mac = hmac.new(key, (PREFIX + badge_id).encode(), hashlib.sha256).digest()
    return base64.b32encode(mac)[:TAG_LENGTH].decode()


def format_badge(badge: Badge) -> str:
    """The text to print. Raises CodeError for an id or tag that `parse_badge` would not read."""
    text = PREFIX + badge.badge_id + badge.tag
    if parse_badge(text) != badge:
        raise CodeError(f"badge {badge.badge_id!r} cannot be printed: wrong tag length")
    return text


def parse_badge(text: str) -> Badge:
    """Splits off the tag. Raises CodeError."""
    badge_id, tag = text[len(PREFIX) : -TAG_LENGTH], text[-TAG_LENGTH:]
    if not text.startswith(PREFIX) or not in_alphabet(badge_id) or not _BASE32.issuperset(tag):
        raise CodeError("not a badge")
    return Badge(badge_id, tag)
