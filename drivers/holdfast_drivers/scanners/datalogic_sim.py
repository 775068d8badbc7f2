"""A Datalogic scanner that is not there: obeys single bytes. As an 800i does, it reads nothing after "not on file"."""

from __future__ import annotations

from holdfast_drivers.scanners import datalogic as wire
from holdfast_drivers.scanners.simulator import ObedientSimulator

IDENTITY = b"\x01\x02PowerScan simulator\x03\x04"


class DatalogicSimulator(ObedientSimulator):
    async def _obey(self, data: bytes) -> None:
        for byte in data:
            match bytes([byte]):
                case wire.ENABLE:
                    self.enabled = True
                    self.told("enable")
                case wire.DISABLE:
                    self.enabled = False
                    self.told("disable")
                case wire.GOOD_READ:
                    self.told("good")
                case wire.NOT_ON_FILE:
                    self.enabled = False
                    self.told("bad")
                case wire.TRIGGER_ON:
                    self.told("trigger on")
                case wire.TRIGGER_OFF:
                    self.told("trigger off")
                case wire.IDENTIFY:
                    await self._send(IDENTITY)
                case other:
                    self.told(f"unknown {other!r}")
