"""Drives a Zebra (Symbol) scanner by SSI: takes packets and acknowledges them, beeps, lamps, soft trigger, on and off.

On entering it asks for the scanner's revision; one that answers is asked to packet its data, until its next power
cycle. One that does not is read raw, as plain text, and its other methods time out. Changes no lasting setting, no
line setting and no symbology.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from holdfast_drivers.links.base import Opener
from holdfast_drivers.scanners.base import Capability, Garbled
from holdfast_drivers.scanners.framing import GAP
from holdfast_drivers.scanners.line import LineScanner
from holdfast_drivers.scanners.ssi import WAKE, Nak, Opcode, Packet, Source, SsiDecoder, Status
from holdfast_drivers.scanners.ssi_scans import ScanAssembler
from holdfast_drivers.values import DeviceError, Scan, Tri

PACKETED_DATA = b"\xff\xee\x01"
"""PARAM_SEND data: no beep, parameter EE (decode data format) = 1 (packets)."""
ONE_LONG_LOW = 0x0F
"""BEEP code. 00..04 are one to five short high beeps."""
DECODE_LED = b"\x01"
"""The lamp that shows a good read; others differ by model."""


@dataclass(frozen=True, slots=True)
class Limits:
    reply: float = 2.0
    """Seconds for the scanner to answer a packet, as the scanner itself allows the host."""
    wake: float = 0.025
    """Seconds from the wake byte to the first packet; at least 20 ms."""
    tries: int = 3


class SsiScanner(LineScanner):
    """A `Scanner` with every capability, and `led` and `trigger` besides."""

    capabilities = frozenset(Capability)

    def __init__(self, opener: Opener, *, gap: float = GAP, limits: Limits | None = None) -> None:
        super().__init__(opener, SsiDecoder(gap=gap))
        self.revision = ""
        """What it said about itself; empty until it has answered."""
        self.packeted = False
        """It agreed to send packets. Raw scans are taken all the same."""
        self._limits = limits or Limits()
        self._assembler = ScanAssembler()

    async def _probe(self) -> None:
        reply = await self._command(Opcode.REQUEST_REVISION, answer=Opcode.REPLY_REVISION, tries=1, wake=True)
        self.revision = reply.data.decode("ascii", "replace")

    async def good_read(self, *, beeps: int = 1) -> None:
        await self._command(Opcode.BEEP, bytes([min(max(beeps, 1), 5) - 1]), tries=1)

    async def bad_read(self) -> None:
        await self._command(Opcode.BEEP, bytes([ONE_LONG_LOW]), tries=1)

    async def enable(self) -> None:
        await self._command(Opcode.SCAN_ENABLE)

    async def disable(self) -> None:
        await self._command(Opcode.SCAN_DISABLE)

    async def led(self, *, on: bool) -> None:
        """Light the lamp of a good read, or put it out. Raises as `enable` does."""
        await self._command(Opcode.LED_ON if on else Opcode.LED_OFF, DECODE_LED)

    async def trigger(self, *, on: bool) -> None:
        """Begin to look for a code, or give up. Raises as `enable` does."""
        await self._command(Opcode.START_SESSION if on else Opcode.STOP_SESSION)

    async def _greet(self) -> None:
        if await self.alive() is Tri.YES:
            with suppress(DeviceError):
                await self._command(Opcode.PARAM_SEND, PACKETED_DATA, tries=1)
                self.packeted = True

    async def _hear(self, frame: object) -> None:
        match frame:
            case Packet(opcode=Opcode.DECODE_DATA):
                scan = self._assembler.take(frame, asyncio.get_running_loop().time())
                if isinstance(scan, Scan):
                    await self._deliver(scan)
                self.stats.garbled += isinstance(scan, Garbled)
                await self._reply(Opcode.CMD_ACK)
            case Packet(opcode=Opcode.EVENT):
                await self._reply(Opcode.CMD_ACK)
            case Garbled():
                await self._reply(Opcode.CMD_NAK, bytes([Nak.RESEND]))
            case _:
                await super()._hear(frame)

    async def _reply(self, opcode: Opcode, data: bytes = b"") -> None:
        """A scanner that takes no bytes will send its packet again; a lost link ends the reading."""
        try:
            await self._send(Packet(opcode, Source.HOST, data).encode())
        except DeviceError as error:
            if error.kind != "timeout":
                raise

    async def _command(
        self,
        opcode: Opcode,
        data: bytes = b"",
        *,
        answer: Opcode = Opcode.CMD_ACK,
        tries: int | None = None,
        wake: bool = False,
    ) -> Packet:
        """The answer. Raises DeviceError: `refused` by a NAK, `timeout` after `tries`, `unplugged`."""
        for attempt in range(tries or self._limits.tries):
            if wake or attempt:
                await self._send(WAKE)
                await asyncio.sleep(self._limits.wake)
            packet = Packet(opcode, Source.HOST, data, Status.RETRANSMISSION if attempt else 0)
            with suppress(_SilenceError):
                reply = await self._exchange(packet, answer)
                if reply.opcode == answer:
                    return reply
                if reply.data[:1] != bytes([Nak.RESEND]):
                    raise DeviceError("refused", f"{opcode.name}: {_why(reply.data)}")
        raise DeviceError("timeout", f"no answer to {opcode.name}")

    async def _exchange(self, packet: Packet, answer: Opcode) -> Packet:
        wanted = (answer, Opcode.CMD_NAK)
        try:
            reply: Packet = await self._ask(
                packet.encode(),
                lambda frame: isinstance(frame, Packet) and frame.opcode in wanted,
                within=self._limits.reply,
            )
        except DeviceError as error:
            if error.kind == "timeout":
                raise _SilenceError from error
            raise
        return reply


class _SilenceError(Exception):
    """No answer in time; there may be another try."""


def _why(data: bytes) -> str:
    return Nak(data[0]).name.lower() if data[:1] in {bytes([reason]) for reason in Nak} else f"reason {data.hex()}"
