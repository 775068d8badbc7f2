"""The AsyncAPI 3 document of the wire, generated from the message types: `python -m holdfast_contract.asyncapi`."""

from __future__ import annotations

import json
import sys
from typing import Any

import msgspec

from holdfast_contract import board, topics, wire
from holdfast_contract.events import TYPES

TITLE = "holdfast uplink"
VERSION = "1.0.0"
HUB = "{hub}"

CHANNELS: dict[str, tuple[str, type[msgspec.Struct], str, int, bool]] = {
    "status": (topics.status(HUB), wire.Status, "hub", 1, True),
    "birth": (topics.birth(HUB), wire.Birth, "hub", 1, True),
    "events": (topics.up(HUB, wire.Stream.EV), wire.Batch, "hub", 1, False),
    "telemetry": (topics.up(HUB, wire.Stream.TM), wire.Batch, "hub", 1, False),
    "diagnostics": (topics.up(HUB, wire.Stream.DG), wire.Batch, "hub", 1, False),
    "board": (topics.state(HUB, board.STATE), board.State, "hub", 1, True),
    "ack": (topics.ack(HUB), wire.Ack, "core", 1, False),
    "core": (topics.CORE_STATUS, wire.CoreStatus, "core", 1, True),
}
"""Channel name: address, message, who sends it, QoS, retained."""


def document() -> dict[str, Any]:
    """The whole document: channels, who sends what, and a schema for every message and event body."""
    messages = {message for _, message, *_ in CHANNELS.values()}
    _, schemas = msgspec.json.schema_components(
        [*messages, wire.Telemetry, wire.Digest, board.Change, *TYPES.values()],
        schema_hook=_opaque,
        ref_template="#/components/schemas/{name}",
    )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": TITLE,
            "version": VERSION,
            "description": "One lead byte (0 plain, 1 zlib), then a msgpack map. Schemas describe the decoded value.",
        },
        "defaultContentType": wire.CONTENT_TYPE,
        "channels": {name: _channel(address, message) for name, (address, message, *_) in CHANNELS.items()},
        "operations": {
            name: _operation(name, sender, qos, retained) for name, (_, _, sender, qos, retained) in CHANNELS.items()
        },
        "components": {
            "messages": {m.__name__: _message(m) for m in sorted(messages, key=lambda m: m.__name__)},
            "schemas": dict(sorted(schemas.items())),
        },
        "x-event-bodies": {name: {"$ref": f"#/components/schemas/{body.__name__}"} for name, body in TYPES.items()},
    }


def _opaque(kind: type) -> dict[str, Any]:
    """Schema of what a message carries encoded."""
    if kind is msgspec.Raw:
        return {"description": "an encoded msgpack value"}
    raise NotImplementedError(kind)  # what msgspec asks of a schema_hook that does not know a type


def _channel(address: str, message: type[msgspec.Struct]) -> dict[str, Any]:
    channel: dict[str, Any] = {
        "address": address,
        "messages": {message.__name__: {"$ref": f"#/components/messages/{message.__name__}"}},
    }
    if HUB in address:
        channel["parameters"] = {"hub": {"description": f"hub id, {topics.HUB_ID.pattern}"}}
    return channel


def _operation(name: str, sender: str, qos: int, retained: bool) -> dict[str, Any]:
    return {
        "action": "send" if sender == "hub" else "receive",
        "channel": {"$ref": f"#/channels/{name}"},
        "bindings": {"mqtt": {"qos": qos, "retain": retained}},
    }


def _message(message: type[msgspec.Struct]) -> dict[str, Any]:
    return {
        "name": message.__name__,
        "contentType": wire.CONTENT_TYPE,
        "payload": {"$ref": f"#/components/schemas/{message.__name__}"},
    }


if __name__ == "__main__":
    json.dump(document(), sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")
