"""One suite for every link and every driver over it: what passes on memory, PTY and TCP must pass on the real thing.

    pytest hil/conformance                       simulators over every kind of link
    pytest hil/conformance --port /dev/ttyACM0   a real scanner, printer, …; asks a person to scan
                           --scanner ssi         … which speaks that
    pytest hil/conformance --port /dev/ttyUSB0 --scale toledo -s -k person_weighs   a real scale; asks for a weight

A driver joins with a test file of its own that uses `link_pair`. Every test also checks that no descriptor is left
open and that nothing blocks the event loop.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from blockbuster import blockbuster_ctx

from conformance.display_kits import DISPLAY_KITS, DisplayKit
from conformance.gadgets import LINE_GADGETS, PRINTER_GADGETS, GadgetRig
from conformance.leaks import nothing_left_behind
from conformance.printer_kits import PRINTER_KITS, PRINTER_QUIRKS, PrinterKit
from conformance.rigs import LINES, QUIRKS, STREAMS, LinkPair, Rig
from conformance.scale_kits import SCALE_KIT_QUIRKS, SCALE_KITS, ScaleKit
from conformance.scanner_kits import KIT_QUIRKS, KITS, ScannerKit
from holdfast_drivers.links.base import Opener
from holdfast_drivers.links.evdev import evdev_opener
from holdfast_drivers.links.hidraw import hidraw_opener
from holdfast_drivers.links.serial import serial_opener
from holdfast_drivers.links.tcp import tcp_opener
from holdfast_drivers.links.usblp import usblp_opener
from holdfast_drivers.scanners.hidpos import USAGE_PAGE


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--port", metavar="PATH", help="a real device, for the tests that ask a person")
    parser.addoption("--display", choices=[kit.name for kit in DISPLAY_KITS], help="… or a customer display")
    parser.addoption("--scale", choices=[kit.name for kit in SCALE_KITS], help="… and it is a scale that speaks this")
    parser.addoption(
        "--scanner", choices=[kit.name for kit in KITS], default="plain", help="what a real scanner speaks"
    )


def pytest_configure(config: pytest.Config) -> None:
    quirks = ", ".join((*QUIRKS, *KIT_QUIRKS, *PRINTER_QUIRKS, *SCALE_KIT_QUIRKS))
    config.addinivalue_line("markers", f"not_with(quirk): skipped on a backend or a protocol with that quirk: {quirks}")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    left_out = getattr(metafunc.module, "WITHOUT", ())
    if "kit" in metafunc.fixturenames:
        kernels = {kit.name: () if "reports" in kit.quirks else LINE_GADGETS for kit in KITS}
        pairs = [(kit, rig) for kit in KITS for rig in (*kit.rigs, *kernels[kit.name]) if rig.name not in left_out]
        ids = [f"{kit.name}-{rig.name}" for kit, rig in pairs]
        metafunc.parametrize(("kit", "rig"), pairs, ids=ids, indirect=True)
    elif "rig" in metafunc.fixturenames:
        is_line = {"scale_kit", "display_kit"} & set(metafunc.fixturenames)
        every = (*LINES, *LINE_GADGETS) if is_line else (*STREAMS, *PRINTER_GADGETS)
        rigs = tuple(rig for rig in every if rig.name not in left_out)
        metafunc.parametrize("rig", rigs, ids=lambda rig: rig.name, indirect=True)
    if "printer_kit" in metafunc.fixturenames:
        metafunc.parametrize("printer_kit", PRINTER_KITS, ids=lambda kit: kit.name, indirect=True)
    if "scale_kit" in metafunc.fixturenames:
        metafunc.parametrize("scale_kit", SCALE_KITS, ids=lambda kit: kit.name, indirect=True)
    if "display_kit" in metafunc.fixturenames:
        metafunc.parametrize("display_kit", DISPLAY_KITS, ids=lambda kit: kit.name, indirect=True)


@pytest.fixture(autouse=True)
def loop_never_blocks() -> Iterator[None]:
    """A blocking call made in the event loop raises where it is made."""
    with blockbuster_ctx():
        yield


@pytest.fixture(autouse=True)
async def fd_leaks() -> AsyncIterator[None]:
    """Async: the loop's own descriptors are there before and after."""
    async with nothing_left_behind():
        yield


@pytest.fixture
async def rig(request: pytest.FixtureRequest, fd_leaks: None, tmp_path: Path) -> AsyncIterator[Rig | GadgetRig]:
    if request.config.getoption("--port", default=None):
        pytest.skip("needs the device's end of the link, which a real port has not")
    _skip_by_quirk(request, QUIRKS)
    rig: Rig | GadgetRig = request.param(tmp_path / "device")
    await rig.plug()
    yield rig
    await rig.unplug()


@pytest.fixture
def kit(request: pytest.FixtureRequest) -> ScannerKit:
    _skip_by_quirk(request, KIT_QUIRKS)
    kit: ScannerKit = request.param
    return kit


@pytest.fixture
def scale_kit(request: pytest.FixtureRequest) -> ScaleKit:
    _skip_by_quirk(request, SCALE_KIT_QUIRKS)
    kit: ScaleKit = request.param
    return kit


@pytest.fixture
def printer_kit(request: pytest.FixtureRequest) -> PrinterKit:
    _skip_by_quirk(request, PRINTER_QUIRKS)
    kit: PrinterKit = request.param
    return kit


@pytest.fixture
def display_kit(request: pytest.FixtureRequest) -> DisplayKit:
    kit: DisplayKit = request.param
    return kit


def _skip_by_quirk(request: pytest.FixtureRequest, quirks: dict[str, str]) -> None:
    for mark in request.node.iter_markers("not_with"):
        if mark.args[0] in request.param.quirks:
            pytest.skip(f"{request.param.name}: {quirks[mark.args[0]]}")


@pytest.fixture
def link_pair(rig: Rig | GadgetRig) -> LinkPair:
    return LinkPair(rig.opener, rig.device, rig.name, rig.plug, rig.unplug, rig.quirks)


@pytest.fixture
def real_port(request: pytest.FixtureRequest) -> Opener:
    """The device named by --port, for tests a person takes part in."""
    path = request.config.getoption("--port", default=None)
    if not path:
        pytest.skip("needs --port and a person")
    return opener_for(path)


def opener_for(where: str) -> Opener:
    """By what the name leads to."""
    host, _, port = where.rpartition(":")
    if not where.startswith("/") and host and port.isdigit():
        return tcp_opener(host, int(port))
    node = os.path.realpath(where)
    if node.startswith("/dev/usb/"):
        return usblp_opener(where)
    if node.startswith("/dev/input/"):
        return evdev_opener(where)
    if node.startswith("/dev/hidraw"):
        return hidraw_opener(where, usage_page=USAGE_PAGE)
    return serial_opener(where)
