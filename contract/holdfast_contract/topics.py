"""MQTT topics, spelled once. Root `hf/v1/{hub}`; a hub id is safe as a level on MQTT, NATS and AMQP engines."""

from __future__ import annotations

import re

ROOT = "hf/v1"
HUB_ID = re.compile(r"[a-z0-9-]{3,32}")

CORE = "core"
"""Headquarters' own level; no hub may be called so."""
CORE_STATUS = f"{ROOT}/{CORE}/status"
"""Retained, with will: a collector is committing."""


def status(hub: str) -> str:
    return f"{ROOT}/{hub}/status"


def birth(hub: str) -> str:
    return f"{ROOT}/{hub}/birth"


def up(hub: str, stream: str) -> str:
    """Batches of one stream: `ev`, `tm` or `dg`."""
    return f"{ROOT}/{hub}/up/{stream}"


def ack(hub: str) -> str:
    return f"{ROOT}/{hub}/down/ack"


def state(hub: str, device: str) -> str:
    """Retained last reading of a device, for dashboards."""
    return f"{ROOT}/{hub}/state/{device}"


ALL_STATUS = f"{ROOT}/+/status"
ALL_BIRTH = f"{ROOT}/+/birth"
ALL_UP = f"{ROOT}/+/up/+"


def hub_of(topic: str) -> str | None:
    """The hub a topic speaks of; None when it is not one of ours."""
    parts = topic.split("/")
    if len(parts) < 4 or "/".join(parts[:2]) != ROOT or not HUB_ID.fullmatch(parts[2]):
        return None
    return parts[2]
