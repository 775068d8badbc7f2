"""The real daemon and a scanner that beeps: what the counter says is heard in the cashier's hand."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import pytest

from holdfast.counter.commands import BY_CODE, barcode_of
from holdfast_drivers.links.pty import Pty
from holdfast_drivers.scanners.ssi_sim import SsiSimulator
from holdfast_drivers.ups.battery import Battery
from holdfast_drivers.ups.sim import BoardBench
from system.shop import Shop

pytestmark = pytest.mark.timeout(60)

CONFIG = """
[hub]
id = "bench-hub"
code = "BH"
name = "Bench & Co"
[storage]
directory = "{d}/state"
[api]
socket = "{d}/hub.sock"
metrics_port = 0
[[stations]]
name = "t1"
print_slips = false
[[scanners]]
name = "scanner"
station = "t1"
protocol = "ssi"
serial = {{ port = "{d}/scanner" }}
"""


async def test_committed_beeps_once_a_prompt_twice_a_refusal_low(tmp_path: Path) -> None:
    await asyncio.to_thread((tmp_path / "holdfast.toml").write_text, CONFIG.format(d=tmp_path))
    async with Pty(tmp_path / "scanner") as pty, SsiSimulator(pty.link) as scanner:
        bench = BoardBench(tmp_path / "bench", Battery(charge=0.9), lambda _: None)
        shop = Shop(tmp_path, pty, None, bench)  # type: ignore[arg-type]  # this shop has no printer
        try:
            await shop.start()
            await shop.until(lambda: scanner.packeted, "packets to be agreed on")
            heard: list[str] = []
            for text, tones in (
                (barcode_of(BY_CODE["STATUS"]), ["good"]),
                (barcode_of(BY_CODE["PRICE"]), ["good", "good"]),
                ("nobody knows this", ["bad"]),
            ):
                await scanner.scan(text, aim="]C0")
                heard += tones
                await shop.until(partial(_has_heard, scanner, heard), f"tones for {text}")
        finally:
            assert await shop.stop() == 0


def _has_heard(scanner: SsiSimulator, tones: list[str]) -> bool:
    return scanner.heard == tones
