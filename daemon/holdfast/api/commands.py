"""Commands over HTTP: `{"do": "area.imperative", "id": …, …}` becomes the domain's own, checked to the letter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from holdfast.api.answers import decode
from holdfast.domain.core import Area, Command, Refused

MAX_ID, MIN_ID = 16, 9
"""Bytes of a command id: 6 of UTC milliseconds, the rest never repeated by its maker."""
MAX_INTEGER = 2**53 - 1
"""What every JSON reader holds exactly (RFC 8259, 6), and far inside SQLite's 64 bits."""

OWN_AFFAIR = frozenset({"operator.sign_in", "power.change_stage"})
"""Not for callers: a badge is proved by scanning it, a power stage by measuring."""

_OUTER = frozenset({"do", "id"})


def open_commands(areas: Iterable[Area]) -> dict[str, type[Command]]:
    """By tag, what a technician may send: all but what the hub notes about itself."""
    tagged = {str(kind.__struct_config__.tag): kind for area in areas for kind in area.handlers}
    return {tag: kind for tag, kind in tagged.items() if tag not in OWN_AFFAIR and ".note_" not in tag}


def read_command(body: bytes, known: Mapping[str, type[Command]]) -> tuple[Command, bytes | None]:
    """The command in a JSON body, and its id when it has one. Raises Refused(`invalid`)."""
    raw = decode(body, dict[str, msgspec.Raw])
    if "do" not in raw:
        raise Refused("invalid", detail="`do` says which command; it is missing")
    kind = known.get(decode(raw["do"], str))
    if kind is None:
        raise Refused("invalid", detail=f"no command {bytes(raw['do']).decode()}; there is: {', '.join(sorted(known))}")
    unknown = raw.keys() - _OUTER - set(kind.__struct_encode_fields__)
    if unknown:
        raise Refused("invalid", detail=f"unknown: {', '.join(sorted(unknown))}")
    command = decode(body, kind)
    if not _exact(msgspec.structs.astuple(command)):
        raise Refused("invalid", detail=f"a number is beyond {MAX_INTEGER}")
    return command, read_id(decode(raw["id"], str)) if "id" in raw else None


def read_id(text: str) -> bytes:
    """A command id from its hexadecimal form. Raises Refused(`invalid`)."""
    try:
        command_id = bytes.fromhex(text)
    except ValueError:
        command_id = b""
    if not MIN_ID <= len(command_id) <= MAX_ID:
        raise Refused("invalid", detail=f"an id is {MIN_ID} to {MAX_ID} bytes in hexadecimal, milliseconds first")
    return command_id


def _exact(value: Any) -> bool:
    """Whether every number in it is one that all readers agree on."""
    if isinstance(value, tuple):
        return all(_exact(part) for part in value)
    return not isinstance(value, int) or abs(value) <= MAX_INTEGER
