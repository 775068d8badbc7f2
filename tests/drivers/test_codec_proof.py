"""A million frames of noise, near-misses and frames through each codec of the printers: no crash, no growth.

The scanners' codecs have theirs beside their tests (test_framing, test_ssi, test_scanner_commands, test_keyboard,
test_hidpos).
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Sequence
from random import Random

import pytest

from holdfast_drivers.printers.commands import MAX_COMMAND
from holdfast_drivers.printers.firmware import _NO_NAME
from holdfast_drivers.printers.interpreter import Interpreter
from holdfast_drivers.printers.machine import Machine, RealtimeScanner
from holdfast_drivers.printers.star_interpreter import STAR
from holdfast_drivers.printers.star_status import StarDecoder
from holdfast_drivers.printers.status import StatusDecoder

FRAMES = 1_000_000
WARM = 100_000
GROWTH = 100_000
"""Bytes."""
Feed = Callable[[bytes], Sequence[object]]

ESCPOS_STATUS = (
    b"\x12",
    b"\x10\0\0\0",
    b"\x18\x08\x0f\0",
    b'7"0042\0',
    b"_VIRTUAL\0",
    b"\x11",
    b"\x13",
    b"\x0c",
    b"\x37",
)
STAR_STATUS = (
    Machine().star_status(7, executed=True),
    b"\x23\x86" + bytes(9),
    b"\x1b#*,AB 1\n\0",
    b"\x11",
    b"\x0f\x06",
)
REALTIME = (b"\x10\x04\x01", b"\x10\x14\x01\0\x05", b"\x10\x05\x01", b"\x10\x10", b"\x10", b"\x10\x04\x09")
ESCPOS = (
    b"line of text\n",
    b"\x1b@",
    b"\x1bE\x01",
    b"\x1ba\x01",
    b"\x1d!\x11",
    b"\x1bd\x02",
    b"\x1dV\x00",
    b"\x1d(k\x03\0",
)
STAR_LINES = (
    b"line of text\n",
    b"\x1b@",
    b"\x1bE",
    b"\x1b\x1da\x01",
    b"\x1bd\x03",
    b"\x1b\x1dt\x20",
    b"\x17",
    b"\x1b\x1e",
)
CODECS: dict[str, tuple[Callable[[], Feed], tuple[bytes, ...]]] = {
    "ESC/POS replies": (lambda: StatusDecoder().feed, ESCPOS_STATUS),
    "Star reports": (lambda: StarDecoder().feed, STAR_STATUS),
    "real-time commands": (lambda: RealtimeScanner().feed, REALTIME),
    "ESC/POS on paper": (lambda: Interpreter().feed, ESCPOS),
    "no-name on paper": (lambda: Interpreter(language=_NO_NAME).feed, ESCPOS),
    "Star on paper": (lambda: Interpreter(language=STAR).feed, STAR_LINES),
}


@pytest.mark.proof
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", CODECS)
def test_a_million_frames_in_flat_memory(name: str) -> None:
    make, pieces = CODECS[name]
    rng, feed = Random(17), make()
    frames = found = 0
    warm = 0
    tracemalloc.start()
    while frames < FRAMES:
        chosen = rng.choices(pieces, k=20)
        burst = bytearray(b"".join(chosen))
        for _ in range(rng.randrange(3)):
            burst[rng.randrange(len(burst))] = rng.randrange(256)
        burst += rng.randbytes(rng.randrange(6))
        cut = rng.randrange(len(burst))
        found += len(feed(bytes(burst[:cut]))) + len(feed(bytes(burst[cut:])))
        frames += len(chosen)
        if not warm and frames > WARM:
            warm = tracemalloc.get_traced_memory()[0]
    grown = tracemalloc.get_traced_memory()[0] - warm
    tracemalloc.stop()
    print(f"{name}: {frames} frames sent, {found} things heard; memory grown {grown} bytes")
    assert grown < GROWTH + (MAX_COMMAND if "paper" in name else 0)
    assert found > frames // 20
