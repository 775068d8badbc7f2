"""The last known reading of each device, retained at the broker for dashboards; never the record."""

from __future__ import annotations

import asyncio

import msgspec

from holdfast.uplink.books import Courier
from holdfast_contract import topics
from holdfast_contract.wire import pack

EXPIRY_S = 86_400
"""Seconds after which a reading nobody renewed may go."""


class States:
    """Keeps one payload a device; a reading that is overtaken before it is sent is never sent."""

    def __init__(self, hub: str) -> None:
        self._hub = hub
        self._latest: dict[str, bytes] = {}
        self._due: dict[str, None] = {}
        self._wake = asyncio.Event()

    def put(self, device: str, reading: msgspec.Struct) -> None:
        """Remember and, when connected, publish. Unchanged bytes are not published again."""
        payload = pack(reading)
        if self._latest.get(device) != payload:
            self._latest[device] = payload
            self._due[device] = None
            self._wake.set()

    async def run(self, courier: Courier) -> None:
        """Publish all readings once, then each that changes. Raises LostError."""
        self._due = dict.fromkeys(self._latest)
        while True:
            self._wake.clear()
            while self._due:
                device = next(iter(self._due))
                del self._due[device]
                await courier.publish(
                    "state", topics.state(self._hub, device), self._latest[device], retain=True, expiry=EXPIRY_S
                )
            await self._wake.wait()
