"""A Zebra scanner that is not there: speaks SSI from the scanner's side, raw or in packets, with its retries."""

from __future__ import annotations

import asyncio

from holdfast_drivers.links.base import Link
from holdfast_drivers.scanners.simulator import ObedientSimulator
from holdfast_drivers.scanners.ssi import MAX_DATA, Nak, Opcode, Packet, Source, SsiDecoder, Status
from holdfast_drivers.values import Scan

REVISION = b"SIMULATOR 1.0"
TRIES = 3
CODE_128 = 0x03
_CODE_TYPES = {"]E0": 0x0B, "]E4": 0x0A, "]C1": 0x0F, "]C0": CODE_128, "]d2": 0xC1, "]Q1": 0x1C}
_PLAIN_ACTS = {
    Opcode.SCAN_ENABLE: "enable",
    Opcode.SCAN_DISABLE: "disable",
    Opcode.START_SESSION: "trigger on",
    Opcode.STOP_SESSION: "trigger off",
}


class SsiSimulator(ObedientSimulator):
    """`packeted` is what parameter EE says: raw until the host asks for packets. `scan` returns once the host has
    acknowledged, and counts in `unacknowledged` the scans it gave up.
    """

    def __init__(self, link: Link, *, seed: int = 0, reply_within: float = 2.0) -> None:
        super().__init__(link, seed=seed)
        self.packeted = False
        self.unacknowledged = 0
        self.naks = 0
        self.lasting = 0
        """Parameter changes the host asked to keep for good."""
        self._reply_within = reply_within
        self._decoder = SsiDecoder(source=Source.HOST)
        self._answer: asyncio.Future[Packet] | None = None

    async def scan(
        self, text: str, *, aim: str = "]E0", terminator: str = "\r", per_byte_delay: float | None = None
    ) -> None:
        """The terminator, like an AIM identifier no code type stands for, belongs to what a packet carries."""
        if not self.packeted:
            await super().scan(text, aim=aim, terminator=terminator, per_byte_delay=per_byte_delay)
        elif self.enabled:
            prefix = "" if aim in _CODE_TYPES else aim
            await self.decode_data(_CODE_TYPES.get(aim, CODE_128), (prefix + text + terminator).encode())

    async def decode_data(self, code_type: int, data: bytes) -> bool:
        """Send a scan in as many packets as it takes; whether the host acknowledged them all."""
        room = MAX_DATA - 1
        pieces = [data[start : start + room] for start in range(0, len(data), room)]
        for number, piece in enumerate(pieces):
            status = Status.CONTINUATION if number < len(pieces) - 1 else 0
            if not await self.transmit(Packet(Opcode.DECODE_DATA, Source.SCANNER, bytes([code_type]) + piece, status)):
                self.unacknowledged += 1
                return False
        return True

    async def transmit(self, packet: Packet) -> bool:
        """Send a packet, and again as a retransmission, until the host acknowledges it or TRIES are through."""
        for attempt in range(TRIES):
            again = Status.RETRANSMISSION if attempt else 0
            self._answer = asyncio.get_running_loop().create_future()
            await self._send(Packet(packet.opcode, packet.source, packet.data, packet.status | again).encode())
            done, _ = await asyncio.wait({self._answer}, timeout=self._reply_within)
            if done and self._answer.result().opcode == Opcode.CMD_ACK:
                return True
        return False

    async def _obey(self, data: bytes) -> None:
        for frame in self._decoder.feed(data, asyncio.get_running_loop().time()):
            if isinstance(frame, Packet):
                await self._do(frame)
            elif not isinstance(frame, Scan):
                await self._reply(Opcode.CMD_NAK, bytes([Nak.RESEND]))

    async def _do(self, packet: Packet) -> None:
        match packet.opcode:
            case Opcode.CMD_ACK | Opcode.CMD_NAK:
                self.naks += packet.opcode == Opcode.CMD_NAK
                if self._answer is not None and not self._answer.done():
                    self._answer.set_result(packet)
                return
            case Opcode.REQUEST_REVISION:
                await self._reply(Opcode.REPLY_REVISION, REVISION)
                return
            case Opcode.PARAM_SEND:
                self.packeted = packet.data.endswith(b"\xee\x01")
                self.lasting += bool(packet.status & Status.PERMANENT)
            case Opcode.BEEP if packet.data[0] > 26:
                await self._reply(Opcode.CMD_NAK, bytes([Nak.DENIED]))
                return
            case Opcode.BEEP:
                for _ in range(packet.data[0] + 1 if packet.data[0] < 5 else 1):
                    self.told("good" if packet.data[0] < 5 else "bad")
            case Opcode.LED_ON | Opcode.LED_OFF:
                self.told("led on" if packet.opcode == Opcode.LED_ON else "led off")
            case Opcode.SCAN_ENABLE | Opcode.SCAN_DISABLE | Opcode.START_SESSION | Opcode.STOP_SESSION:
                self.told(_PLAIN_ACTS[Opcode(packet.opcode)])
                if packet.opcode in (Opcode.SCAN_ENABLE, Opcode.SCAN_DISABLE):
                    self.enabled = packet.opcode == Opcode.SCAN_ENABLE
            case _:
                await self._reply(Opcode.CMD_NAK, bytes([Nak.BAD_CONTEXT]))
                return
        await self._reply(Opcode.CMD_ACK)

    async def _reply(self, opcode: Opcode, data: bytes = b"") -> None:
        await self._send(Packet(opcode, Source.SCANNER, data).encode())
