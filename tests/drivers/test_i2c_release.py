"""Freeing a held I²C bus: clocks, a stop, and the adapter's driver put back whatever happens."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast_drivers.links import release as module
from holdfast_drivers.links.lines import LineConfig, OnEdge
from holdfast_drivers.links.release import CLOCKS, main, release, unbound
from holdfast_drivers.values import DeviceError

SDA, SCL = 2, 3


class Wires:
    """Two lines with resistors to high, and a chip that holds SDA for `bits` more clocks (None: for ever)."""

    name = "wires"

    def __init__(self, bits: int | None = 0, *, scl_held: bool = False) -> None:
        self.bits = bits
        self.scl_held = scl_held
        self.low: set[int] = set()
        self.taken: set[int] = set()
        self.clocks = 0
        self.stops = 0

    def level(self, line: int) -> bool:
        held = self.bits != 0 if line == SDA else self.scl_held
        return line not in self.low and not held

    def configure(self, line: int, config: LineConfig, _on_edge: OnEdge | None = None) -> None:
        assert not (config.output and config.high), "an open-drain line is never driven high"
        sda, scl = self.level(SDA), self.level(SCL)
        self.taken.add(line)
        self.low = self.low | {line} if config.output else self.low - {line}
        if scl and not self.level(SCL):
            self.clocks += 1
            if self.bits:
                self.bits -= 1
        if scl and self.level(SCL) and not sda and self.level(SDA):
            self.stops += 1

    def read(self, line: int) -> bool:
        return self.level(line)

    def write(self, *_: object, **__: object) -> None:
        raise AssertionError("lines change by configuration alone")

    def release(self, line: int) -> None:
        self.low.discard(line)
        self.taken.discard(line)

    def close(self) -> None:
        self.taken.clear()


def freed(wires: Wires) -> int:
    return release(wires, sda=SDA, scl=SCL, pause=lambda _: None)


def test_a_free_bus_is_left_as_it_is() -> None:
    wires = Wires()
    assert freed(wires) == 0
    assert (wires.clocks, wires.stops, wires.taken) == (0, 0, set())


@pytest.mark.parametrize("bits", range(1, CLOCKS + 1))
def test_a_chip_in_the_middle_of_a_byte_is_clocked_out_and_told_to_stop(bits: int) -> None:
    wires = Wires(bits)
    assert freed(wires) == bits
    assert (wires.stops, wires.taken) == (1, set())


@pytest.mark.parametrize(
    ("wires", "told"), [(Wires(None), "after 9 clocks"), (Wires(scl_held=True), "clock on line 3")]
)
def test_what_cannot_be_freed_is_told_and_the_lines_are_given_back(wires: Wires, told: str) -> None:
    with pytest.raises(DeviceError, match=told) as caught:
        freed(wires)
    assert caught.value.kind == "bus_stuck"
    assert (wires.taken, wires.low) == (set(), set())


# The adapter's driver


@pytest.fixture
def sysfs(tmp_path: Path) -> Path:
    """As on a Pi 4: the bus's directory is a link below its platform device, which has a driver."""
    device, driver = tmp_path / "devices/fe804000.i2c", tmp_path / "drivers/i2c-bcm2835"
    (device / "i2c-1").mkdir(parents=True)
    driver.mkdir(parents=True)
    (device / "driver").symlink_to(driver)
    (tmp_path / "bus").mkdir()
    (tmp_path / "bus/i2c-1").symlink_to(device / "i2c-1")
    return tmp_path


def test_the_driver_comes_back_whatever_happens(sysfs: Path) -> None:
    driver = sysfs / "drivers/i2c-bcm2835"

    def fails() -> None:
        with unbound("/dev/i2c-1", sysfs=sysfs / "bus"):
            assert (driver / "unbind").read_text() == "fe804000.i2c"
            assert not (driver / "bind").exists()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert (driver / "bind").read_text() == "fe804000.i2c"


def test_a_bus_that_is_not_there_or_not_ours_to_unbind(sysfs: Path) -> None:
    with pytest.raises(DeviceError, match="absent"), unbound("/dev/i2c-7", sysfs=sysfs / "bus"):
        pytest.fail("there is none")
    (sysfs / "devices/fe804000.i2c/driver").unlink()
    with pytest.raises(DeviceError, match="refused"), unbound("/dev/i2c-1", sysfs=sysfs / "bus"):
        pytest.fail("nothing to unbind")


def test_as_a_program(sysfs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(module, "SYSFS", sysfs / "bus")
    monkeypatch.setattr(module, "find_chip", lambda: Wires(4))
    assert main(["/dev/i2c-1"]) == 0
    assert "free after 4 clocks" in capsys.readouterr().out
    monkeypatch.setattr(module, "find_chip", lambda: Wires(None))
    assert main(["/dev/i2c-1"]) == 1
    assert "off and on" in capsys.readouterr().err
    assert (sysfs / "drivers/i2c-bcm2835/bind").read_text() == "fe804000.i2c"
