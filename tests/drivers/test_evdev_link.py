"""Event devices: grabbed for one process alone, read by a thread of their own so that a busy loop loses no key."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from holdfast_drivers.links import evdev
from holdfast_drivers.links.base import Link, Opener, WriteError
from holdfast_drivers.links.descriptor import DescriptorLink
from holdfast_drivers.links.evdev import EvdevLink, evdev_opener
from holdfast_drivers.scanners.keyboard import EV_KEY, EV_SYN, INPUT_EVENT, SYN_DROPPED, KeyboardScanner
from holdfast_drivers.scanners.keyboard_sim import EV_MSC, dropped, events, keys
from holdfast_drivers.values import DeviceError
from support.descriptors import open_descriptors
from support.waiting import until

CODES = [f"{number:012d}" for number in range(77)]
KEY_S = 0.001
Write = Callable[[bytes], object]


def strokes(at: float = 0.0) -> Iterator[bytes]:
    """One key pressed and released each, as the kernel would hand them out."""
    presses = keys("".join(code + "\r" for code in CODES))
    return (events(iter(pair), at + number * KEY_S) for number, pair in enumerate(zip(presses, presses, strict=True)))


def press_all(write: Write, pressed: Sequence[bytes]) -> None:
    """A thousand keys a second, and never a burst to catch up: a scanner's USB port is asked once a millisecond."""
    due = time.monotonic()
    for stroke in pressed:
        due = max(due + KEY_S, time.monotonic())
        time.sleep(max(0.0, due - time.monotonic()))
        write(stroke)


async def hold_up_the_loop() -> None:
    while True:
        time.sleep(0.06)  # noqa: ASYNC251 - the point of it
        await asyncio.sleep(0.02)


async def read_all(scanner: KeyboardScanner, write: Write) -> list[str]:
    """What comes of CODES while the loop is held up for longer than the kernel's buffer lasts, again and again."""
    holding_up = asyncio.create_task(hold_up_the_loop())
    pressing = asyncio.create_task(asyncio.to_thread(press_all, write, list(strokes())))
    got: list[str] = []
    while len(got) < len(CODES):
        try:
            async with asyncio.timeout(1.0):
                got.append((await anext(scanner)).data.decode())
        except TimeoutError:
            if pressing.done():
                break
    await pressing
    holding_up.cancel()
    await asyncio.wait({holding_up})
    return got


class KernelsBuffer:
    """The kernel's side: a pipe of its smallest size, and events that find no room are lost, as evdev's are."""

    def __init__(self) -> None:
        self.reading, self._writing = os.pipe()
        fcntl.fcntl(self._writing, fcntl.F_SETPIPE_SZ, 4096)
        for fd in (self.reading, self._writing):
            os.set_blocking(fd, False)
        self._overrun = False

    def write(self, stroke: bytes) -> None:
        try:
            os.write(self._writing, (dropped(0.0) if self._overrun else b"") + stroke)
        except BlockingIOError:
            self._overrun = True
        else:
            self._overrun = False

    def unplug(self) -> None:
        os.close(self._writing)


async def keys_through_a_small_buffer(link_over: Callable[[int], Link]) -> list[str]:
    buffer = KernelsBuffer()

    async def opener() -> Link:
        return link_over(buffer.reading)

    async with KeyboardScanner(opener, gap=5.0) as scanner:
        got = await read_all(scanner, buffer.write)
    buffer.unplug()
    return got


async def test_a_thousand_keys_a_second_all_arrive_while_the_loop_is_busy() -> None:
    assert await keys_through_a_small_buffer(lambda fd: EvdevLink(fd, "keys")) == CODES


async def test_a_loop_that_reads_for_itself_loses_some() -> None:
    """The negative control."""
    assert await keys_through_a_small_buffer(lambda fd: DescriptorLink(fd, "keys")) != CODES


async def test_what_came_before_the_loss_is_read_first_and_then_it_says_so() -> None:
    buffer = KernelsBuffer()
    link = EvdevLink(buffer.reading, "keys")
    buffer.write(b"x" * 48)
    buffer.unplug()
    assert await link.read(24) + await link.read(24) == b"x" * 48
    for _ in range(2):
        with pytest.raises(DeviceError, match="unplugged"):
            await link.read(24)
    with pytest.raises(WriteError, match="refused"):
        await link.write(b"x", timeout=1)
    await link.close()


async def test_closing_wakes_the_reader_ends_the_thread_and_frees_the_device() -> None:
    before = open_descriptors()
    buffer = KernelsBuffer()
    link = EvdevLink(buffer.reading, "keys of a test")
    reading = asyncio.create_task(link.read(24))
    await asyncio.sleep(0.01)
    await link.close()
    await link.close()
    with pytest.raises(DeviceError, match="unplugged"):
        await reading
    assert "keys of keys of a test" not in [thread.name for thread in threading.enumerate()]
    with pytest.raises(BrokenPipeError):
        buffer.write(b"x")
    buffer.unplug()
    assert open_descriptors() == before


async def test_keys_nobody_reads_take_no_more_room_than_they_may(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even while the loop stands still."""
    monkeypatch.setattr(evdev, "READ_AHEAD", 20)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    link = EvdevLink(reading, "keys")
    deadline = time.monotonic() + 0.5
    while time.monotonic() < deadline:
        with suppress(BlockingIOError):
            os.write(writing, bytes(24))
    assert len(link._waiting) == 20
    reading_on = asyncio.create_task(link.read(24))
    assert await reading_on == bytes(24)
    await link.close()
    os.close(writing)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """An input device's answers; the questions it was asked."""
    questions: list[int] = []

    def ioctl(fd: int, request: int, argument: object) -> bytes:
        questions.append(request)
        return b"Scanner\0".ljust(evdev.NAME_LENGTH, b"\0")

    monkeypatch.setattr("holdfast_drivers.links.evdev.fcntl.ioctl", ioctl)
    return questions


@pytest.fixture
def node(tmp_path: Path) -> str:
    path = tmp_path / "event7"
    os.mkfifo(path)
    return str(path)


async def test_it_is_grabbed_stamped_by_the_monotonic_clock_and_spared_scan_codes(asked: list[int], node: str) -> None:
    before = open_descriptors()
    link = await evdev_opener(node)()
    assert set(asked) == {evdev.EVIOCGRAB, evdev.EVIOCSCLOCKID, evdev.EVIOCSMASK, evdev.EVIOCGNAME_256}
    assert link.name == f"Scanner ({node})"
    await link.close()
    assert open_descriptors() == before


async def failure(opener: Opener) -> str:
    with pytest.raises(DeviceError) as caught:
        await opener()
    return caught.value.kind


async def test_a_device_somebody_else_has_grabbed_is_busy_and_left_alone(
    monkeypatch: pytest.MonkeyPatch, node: str
) -> None:
    def ioctl(fd: int, request: int, argument: object) -> bytes:
        if request == evdev.EVIOCGRAB:
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        return bytes(evdev.NAME_LENGTH)

    monkeypatch.setattr("holdfast_drivers.links.evdev.fcntl.ioctl", ioctl)
    before = open_descriptors()
    assert await failure(evdev_opener(node)) == "busy"
    assert open_descriptors() == before


async def test_an_open_cancelled_at_any_moment_leaks_nothing(asked: list[int], node: str) -> None:
    before = open_descriptors()
    for turns in range(60):
        opening = asyncio.ensure_future(evdev_opener(node)())
        for _ in range(turns % 12):
            await asyncio.sleep(0.0001 if turns % 2 else 0)
        opening.cancel()
        with suppress(asyncio.CancelledError):
            await (await opening).close()
    await asyncio.to_thread(lambda: None)
    async with asyncio.timeout(5):
        await until(lambda: open_descriptors() <= before + 1)  # a thread of the pool may have its own


async def test_what_is_no_input_device_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "event7").write_bytes(b"")
    for path, kind in (
        (tmp_path / "event0", "absent"),
        (tmp_path / "event7", "refused"),
        (Path("/dev/null"), "refused"),
    ):
        assert await failure(evdev_opener(str(path))) == kind


UI_SET_EVBIT, UI_SET_KEYBIT, UI_SET_MSCBIT = 0x40045564, 0x40045565, 0x40045568
UI_DEV_SETUP, UI_DEV_CREATE, UI_GET_SYSNAME_64 = 0x405C5503, 0x5501, 0x8040552C
MSC_SCAN = 4


@contextmanager
def virtual_keyboard() -> Iterator[tuple[int, str]]:
    """A keyboard made by the kernel: its uinput descriptor, and its event device."""
    try:
        fd = os.open("/dev/uinput", os.O_WRONLY)
    except OSError as error:
        pytest.skip(f"needs /dev/uinput: {error.strerror}")
    try:
        for kind in (EV_KEY, EV_MSC):
            fcntl.ioctl(fd, UI_SET_EVBIT, kind)
        fcntl.ioctl(fd, UI_SET_MSCBIT, MSC_SCAN)
        for code in range(1, 128):
            fcntl.ioctl(fd, UI_SET_KEYBIT, code)
        fcntl.ioctl(fd, UI_DEV_SETUP, struct.pack("<HHHH80sI", 3, 0x05E0, 0x1200, 1, b"holdfast test scanner", 0))
        fcntl.ioctl(fd, UI_DEV_CREATE)
        sysname = fcntl.ioctl(fd, UI_GET_SYSNAME_64, bytes(64)).split(b"\0")[0].decode()
        yield fd, _event_node(sysname)
    finally:
        os.close(fd)


def _event_node(sysname: str) -> str:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        for entry in Path(f"/sys/devices/virtual/input/{sysname}").glob("event*"):
            node = Path("/dev/input") / entry.name
            if node.exists() and os.access(node, os.R_OK):
                return str(node)
        time.sleep(0.01)
    pytest.skip("the kernel made a keyboard, but no /dev/input/event* that may be read")


async def through_uinput(opener_of: Callable[[str], Opener]) -> list[str]:
    with virtual_keyboard() as (uinput, device):
        async with KeyboardScanner(opener_of(device), gap=5.0) as scanner:
            assert await failure(evdev_opener(device)) == "busy"
            return await read_all(scanner, lambda stroke: os.write(uinput, stroke))


async def test_a_thousand_keys_a_second_through_the_kernel_all_arrive() -> None:
    assert await through_uinput(evdev_opener) == CODES


async def test_through_the_kernel_too_a_loop_that_reads_for_itself_loses_some() -> None:
    """The negative control."""

    def reads_for_itself(path: str) -> Opener:
        async def opener() -> Link:
            return DescriptorLink((await asyncio.to_thread(evdev._grab, path))[0], "keys")

        return opener

    assert await through_uinput(reads_for_itself) != CODES


async def test_the_kernel_hands_out_no_scan_codes_and_says_when_it_lost_keys() -> None:
    with virtual_keyboard() as (uinput, device):
        fd, _ = await asyncio.to_thread(evdev._grab, device)
        for stroke in list(strokes())[:20]:
            os.write(uinput, stroke)
        got = os.read(fd, 1 << 16)
        os.close(fd)
    kinds = [(kind, code) for _, _, kind, code, _ in INPUT_EVENT.iter_unpack(got)]
    assert EV_MSC not in {kind for kind, _ in kinds}
    assert (EV_SYN, SYN_DROPPED) in kinds
