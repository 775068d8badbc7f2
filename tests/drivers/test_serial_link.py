"""What serial ports alone promise; the rest of a link's contract is in hil/conformance."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import struct
import sys
import termios
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from holdfast_drivers.links.base import WriteError
from holdfast_drivers.links.pty import Pty
from holdfast_drivers.links.serial import serial_opener
from holdfast_drivers.values import DeviceError


@pytest.fixture
def raw_pty() -> Iterator[tuple[int, str]]:
    """A PTY as the kernel makes it, cooked and echoing: its master and its path."""
    master, slave = pty.openpty()
    yield master, os.ttyname(slave)
    os.close(master)
    os.close(slave)


async def kind_of_failed_open(path: Path | str) -> str:
    with pytest.raises(DeviceError) as caught:
        await serial_opener(str(path))()
    return caught.value.kind


async def test_a_missing_port_is_absent(tmp_path: Path) -> None:
    assert await kind_of_failed_open(tmp_path / "nothing") == "absent"
    (tmp_path / "dangling").symlink_to("/dev/no-such-port")
    assert await kind_of_failed_open(tmp_path / "dangling") == "absent"


async def test_what_is_no_serial_port_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert await kind_of_failed_open(tmp_path / "file") == "refused"
    assert await kind_of_failed_open("/dev/null") == "refused"


async def test_a_port_somebody_has_locked_is_busy(raw_pty: tuple[int, str]) -> None:
    other = os.open(raw_pty[1], os.O_RDWR | os.O_NOCTTY)
    fcntl.flock(other, fcntl.LOCK_EX)
    assert await kind_of_failed_open(raw_pty[1]) == "busy"
    os.close(other)
    await (await serial_opener(raw_pty[1])()).close()


@pytest.mark.parametrize("settings", [{"parity": "X"}, {"bytesize": 9}, {"stopbits": 3}, {"baudrate": -1}])
def test_settings_no_port_has_are_refused_before_anything_opens(settings: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        serial_opener("/dev/ttyUSB0", **settings)  # type: ignore[arg-type]  # one of them is a text


async def test_the_line_is_set_as_asked(raw_pty: tuple[int, str]) -> None:
    master, path = raw_pty
    link = await serial_opener(path, baudrate=19200, stopbits=2, rtscts=True, xonxoff=True)()
    iflag, oflag, cflag, lflag, ispeed, ospeed, _ = termios.tcgetattr(master)
    assert ispeed == ospeed == termios.B19200
    assert cflag & termios.CSTOPB
    assert cflag & termios.CRTSCTS
    assert cflag & termios.CLOCAL
    assert iflag & termios.IXON
    assert not oflag & termios.OPOST
    assert not lflag & (termios.ICANON | termios.ECHO | termios.ISIG)
    await link.close()


@pytest.mark.parametrize(("parity", "checked"), [("N", False), ("E", True), ("O", True)])
async def test_a_parity_that_is_asked_for_is_checked(raw_pty: tuple[int, str], parity: str, *, checked: bool) -> None:
    """Else a digit of a weight that lost a bit would pass for another digit."""
    link = await serial_opener(raw_pty[1], bytesize=7, parity=parity)()
    iflag = termios.tcgetattr(raw_pty[0])[0]
    assert bool(iflag & termios.INPCK) is checked
    assert not iflag & (termios.IGNPAR | termios.PARMRK | termios.ISTRIP)
    await link.close()


@pytest.mark.parametrize("asked", [True, False])
async def test_low_latency_is_a_wish(raw_pty: tuple[int, str], monkeypatch: pytest.MonkeyPatch, asked: bool) -> None:
    """FTDI adapters wait 16 ms for more without it. A PTY, like many drivers, has no such knob: the port opens."""
    wishes: list[bool] = []

    def wish(port: serial.Serial, on: bool) -> None:
        wishes.append(on)
        raise ValueError("no such knob")

    monkeypatch.setattr(serial.Serial, "set_low_latency_mode", wish)
    await (await serial_opener(raw_pty[1], low_latency=asked)()).close()
    assert wishes == [True] * asked


async def test_a_real_port_is_closed_to_everybody_else(
    raw_pty: tuple[int, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """TIOCEXCL besides flock. A PTY plays the port, as if it were none."""
    tiocgexcl = 0x80045440
    link = await serial_opener(raw_pty[1])()
    assert struct.unpack("i", fcntl.ioctl(link._fd, tiocgexcl, bytes(4))) == (0,)  # type: ignore[attr-defined]
    await link.close()
    monkeypatch.setattr("holdfast_drivers.links.serial._PTY_MAJORS", ())
    link = await serial_opener(raw_pty[1])()
    assert struct.unpack("i", fcntl.ioctl(link._fd, tiocgexcl, bytes(4))) == (1,)  # type: ignore[attr-defined]
    await link.close()


async def test_a_device_that_says_xoff_is_not_written_to_until_it_says_xon(raw_pty: tuple[int, str]) -> None:
    master, path = raw_pty
    link = await serial_opener(path, xonxoff=True)()
    os.write(master, b"\x13")
    with pytest.raises(WriteError) as caught:
        await link.write(b"while stopped", timeout=0.1)
    assert (caught.value.kind, caught.value.taken) == ("timeout", 0)
    os.write(master, b"\x11")
    await link.write(b"after", timeout=1)
    assert await asyncio.to_thread(os.read, master, 100) == b"after"
    await link.close()
    link = await serial_opener(path)()
    os.write(master, b"\x13")
    await link.write(b"plain bytes", timeout=1)
    assert await asyncio.to_thread(os.read, master, 100) == b"plain bytes"
    assert await link.read(1) == b"\x13", "without it they are data"
    await link.close()


async def test_what_came_before_the_open_is_dropped(raw_pty: tuple[int, str]) -> None:
    """A code scanned while nobody listened must not be sold later."""
    master, path = raw_pty
    os.write(master, b"STALE\r")
    link = await serial_opener(path)()
    os.write(master, b"FRESH\r")
    async with asyncio.timeout(5):
        assert await link.read(100) == b"FRESH\r"
    await link.close()


async def test_closing_after_a_failed_write_drops_what_the_kernel_still_holds(raw_pty: tuple[int, str]) -> None:
    """What its owner has given up on must not be printed later."""
    master, path = raw_pty
    os.set_blocking(master, False)
    link = await serial_opener(path)()
    with pytest.raises(WriteError) as caught:
        await link.write(bytes(100_000), timeout=0.1)
    assert caught.value.taken > 0
    await link.close()
    left = 0
    try:
        while True:
            left += len(os.read(master, 65536))
    except BlockingIOError:
        pass
    assert left < caught.value.taken


async def test_closing_after_a_good_write_lets_it_out(raw_pty: tuple[int, str]) -> None:
    master, path = raw_pty
    link = await serial_opener(path)()
    await link.write(b"a receipt", timeout=1)
    await link.close()
    assert os.read(master, 100) == b"a receipt"


async def test_a_port_left_by_a_killed_process_opens_again() -> None:
    """As an ordinary user: TIOCEXCL on a PTY would outlive its holder while the simulator keeps the master."""
    async with Pty() as device:
        os.chmod(device.path, 0o666)  # noqa: PTH101 - a device node
        script = (
            "import asyncio, os, sys\n"
            "from holdfast_drivers.links.serial import serial_opener\n"
            "if os.getuid() == 0: os.setuid(65534)\n"
            "asyncio.run(serial_opener(sys.argv[1])())\n"
            "os._exit(0)\n"
        )
        for _ in range(2):
            assert await run_python(script, device.path) == b""


async def run_python(script: str, argument: str) -> bytes:
    """What it says on standard error; its descriptors are closed by its death alone."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, argument, stderr=asyncio.subprocess.PIPE
    )
    return (await process.communicate())[1]


async def test_two_readers_at_once_are_a_programming_error() -> None:
    async with Pty() as device:
        link = await serial_opener(device.path)()
        first = asyncio.create_task(link.read(1))
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="at once"):
            await link.read(1)
        await device.link.write(b"x", timeout=1)
        assert await first == b"x"
        await link.close()


async def test_the_loop_is_not_held_up_while_a_port_hangs_in_its_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver that hangs: the opener gives up, and the descriptor that comes late is closed."""
    hang, closed = threading.Event(), threading.Event()
    opened: list[serial.Serial] = []

    def hanging_open(port: serial.Serial) -> None:
        hang.wait(5)
        opened.append(port)

    def close(port: serial.Serial) -> None:
        if port in opened:
            closed.set()

    monkeypatch.setattr("holdfast_drivers.links.serial.OPEN_TIMEOUT", 0.05)
    monkeypatch.setattr(serial.Serial, "open", hanging_open)
    monkeypatch.setattr(serial.Serial, "close", close)
    assert await kind_of_failed_open("/dev/ttyUSB0") == "busy"
    assert not opened
    hang.set()
    assert await asyncio.to_thread(closed.wait, 5)
