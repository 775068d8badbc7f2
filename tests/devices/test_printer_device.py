"""The daemon's printer: which language, which pace, which logo, and what its health says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from PIL import Image as Pillow

from holdfast.config import Config, Hub, Printer, Serial, parse
from holdfast.counter.letterhead import Letterhead, Marks
from holdfast.devices.health import Health, HealthBoard
from holdfast.devices.logo import load_logo
from holdfast.devices.ports import printer_line
from holdfast.devices.printer import PrinterDevice
from holdfast.runtime.clock import SystemClock
from holdfast_drivers.links.pty import Pty
from holdfast_drivers.printers import firmware
from holdfast_drivers.printers.firmware import Model
from holdfast_drivers.printers.paper import Receipt
from holdfast_drivers.printers.render import to_text
from holdfast_drivers.printers.simulator import Event, PrinterSimulator
from holdfast_drivers.values import Barcode, DeviceState, Document, Image, Printed, PrintResult, Proof, Symbol, Text

HUB = {"id": "test-1", "code": "T1", "name": "Kelp & Co"}
PAGE = Document((Text("Grüße, λάδι, 12,50 €"),))


async def no_page() -> PrintResult:
    raise AssertionError("nobody asked for a test page")


class Rig:
    def __init__(self, device: PrinterDevice, said: asyncio.Queue[Health], paper: list[str]) -> None:
        self.device, self.said, self.paper = device, said, paper

    async def facts(self) -> dict[str, str]:
        """Once it is online."""
        async with asyncio.timeout(20):
            while (health := await self.said.get()).state is not DeviceState.ONLINE or health.kind != "printer":
                pass
        return health.facts

    async def print(self) -> Any:
        async def started() -> None: ...

        return await self.device.print(PAGE, 1, started=started)


@asynccontextmanager
async def rig(tmp_path: Path, model: Model, **options: Any) -> AsyncIterator[Rig]:
    clock = SystemClock()
    said: asyncio.Queue[Health] = asyncio.Queue()
    health = HealthBoard(clock, said.put_nowait)
    paper: list[str] = []

    def keep(event: Event) -> None:
        if isinstance(event, Receipt):
            paper.append(to_text(event))

    async with Pty(tmp_path / "printer") as pty, PrinterSimulator(pty.link, model=model, on_event=keep):
        place = {"usb": pty.path} if options.pop("usb", False) else {"serial": {"port": pty.path}}
        printer = msgspec.convert({"profile": "TM-T20II", **place, **options}, Printer)
        device = PrinterDevice(printer, health=health, clock=clock, test=no_page)
        life = asyncio.create_task(device.run())
        yield Rig(device, said, paper)
        life.cancel()
        with suppress(asyncio.CancelledError):
            await life


@pytest.mark.parametrize(
    ("model", "language", "proof"),
    [(Model.FULL, "escpos", Proof.PROCESS_ID), (Model.STAR, "star", Proof.COUNTER)],
)
@pytest.mark.parametrize("usb", [False, True])
async def test_it_prints_in_the_language_it_finds(
    tmp_path: Path, model: Model, language: str, proof: Proof, usb: bool
) -> None:
    async with rig(tmp_path, model, usb=usb) as at:
        facts = await at.facts()
        assert (facts["language"], facts["proof"], facts["paper"]) == (language, proof.name.lower(), "yes")
        result = await at.print()
        assert (result.outcome, result.proof) == (Printed.PRINTED, proof)
        assert at.paper == ["Grüße, λάδι, 12,50 €\n"]


async def test_a_configured_language_is_not_asked_for(tmp_path: Path) -> None:
    async with rig(tmp_path, Model.MUTE, language="star") as at:
        assert (await at.facts())["language"] == "star"
        assert (await at.print()).outcome is Printed.UNKNOWN


async def test_what_the_printer_says_it_is_stands_with_the_profile_that_would_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(firmware, "_INFO", {67: b"TM-T88V", 66: b"EPSON", 65: b"1.23", 68: b"J7X"})
    names = ("manufacturer", "model", "serial", "firmware", "profile", "suggested_profile")
    for configured, advice in (("TM-T20II", "TM-T88V"), ("TM-T88V", None)):
        async with rig(tmp_path, Model.FULL, profile=configured) as at:
            facts = await at.facts()
            assert [facts.get(name) for name in names] == ["EPSON", "TM-T88V", "J7X", "1.23", configured, advice]
    async with rig(tmp_path, Model.STATUS) as at:
        assert "model" not in await at.facts()


async def test_a_document_that_cannot_be_encoded_is_not_tried_again_and_stops_no_other(tmp_path: Path) -> None:
    async def started() -> None:
        raise AssertionError("no byte of it left")

    async with rig(tmp_path, Model.FULL) as at:
        await at.facts()
        result = await at.device.print(Document((Barcode(Symbol.QR, "x" * 3000),)), 1, started=started)
        assert result == PrintResult(Printed.UNKNOWN, reason="not composed")
        assert (await at.print()).outcome is Printed.PRINTED


async def test_a_silent_printer_is_taken_for_a_no_name_one(tmp_path: Path) -> None:
    async with rig(tmp_path, Model.MUTE) as at:
        facts = await at.facts()
        assert (facts["language"], facts["online"]) == ("escpos", "unknown")


def test_only_a_wire_that_holds_nobody_back_is_paced(tmp_path: Path) -> None:
    uart = tmp_path / "ttyUSB0"
    uart.touch()
    plain = Printer(serial=Serial(port=str(uart), baudrate=19_200), speed=80.0, buffer=512)
    line = printer_line(plain)
    assert line is not None
    assert (line.mm_per_s, line.buffer_bytes) == (80.0, 512)
    assert 1700 < line.bytes_per_s < 1920
    for options in (
        Printer(serial=Serial(port=str(uart), rtscts=True)),
        Printer(serial=Serial(port=str(uart), xonxoff=True)),
        Printer(serial=Serial(port=str(uart)), speed=0),
        Printer(serial=Serial(port="/dev/ttyACM7")),
        Printer(tcp="printer:9100"),
        Printer(usb="/dev/holdfast/lp-1"),
    ):
        assert printer_line(options) is None


def config(logo: Path | str) -> Config:
    return parse({"hub": {**HUB, "logo": str(logo)}, "printer": {"tcp": "h:9100", "profile": "POS-5890"}})


def test_a_logo_is_made_for_the_printer_and_stands_above_the_name(tmp_path: Path) -> None:
    Pillow.new("L", (800, 200), 0).save(tmp_path / "logo.png")
    logo = load_logo(config(tmp_path / "logo.png"))
    assert logo is not None
    assert (logo.width, logo.height) == (384, 96)
    first, second, *_ = Letterhead(config("").hub, logo).head(Marks())
    assert first is logo
    assert isinstance(second, Text)
    assert not any(isinstance(block, Image) for block in Letterhead(config("").hub).head(Marks()))


def test_a_shop_opens_without_its_logo(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert load_logo(config("")) is None
    assert not caplog.records
    assert load_logo(config(tmp_path / "gone.png")) is None
    assert "gone.png" in caplog.text
    assert load_logo(Config(hub=Hub(id="t-1", code="T1", name="x", logo="logo.png"))) is None, "nowhere to print it"
