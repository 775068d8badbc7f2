"""The bench: chips and lines at the far end of a socket, seen through the daemon's own I²C bus and pin factory."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import gpiozero
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast_drivers.links import bench_client, i2c
from holdfast_drivers.links.bench import FRAME_LIMIT, BenchServer
from holdfast_drivers.links.bench_client import BenchBus, BenchChip
from holdfast_drivers.links.gpio import HoldfastFactory
from holdfast_drivers.links.header import gpio_header, handed_over
from holdfast_drivers.links.i2c import i2c_bus
from holdfast_drivers.links.lines import Edge, LineConfig, Pull
from holdfast_drivers.links.registers import Hang, Nack
from holdfast_drivers.values import DeviceError
from support.descriptors import open_descriptors
from support.waiting import until


class Chip:
    """Registers 0..255; `failure` is raised while set."""

    def __init__(self) -> None:
        self.bytes = bytearray(256)
        self.failure: type[Exception] | None = None

    def read(self, register: int, length: int) -> bytes:
        if self.failure is not None:
            raise self.failure
        return bytes(self.bytes[register : register + length])

    def write(self, register: int, data: bytes) -> None:
        self.bytes[register : register + len(data)] = data


class Bench:
    def __init__(self, path: Path) -> None:
        self.chip = Chip()
        self.outputs: list[Edge] = []
        self.server = BenchServer(path, {0x36: self.chip}, on_output=self.outputs.append)
        self.path = str(path)

    def levels(self, line: int) -> list[bool]:
        return [edge.high for edge in self.outputs if edge.line == line]


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    descriptors = open_descriptors()
    made = Bench(tmp_path / "bench.sock")
    async with made.server:
        yield made
    assert not (tmp_path / "bench.sock").exists()
    await until(lambda: open_descriptors() <= descriptors)


# I²C


async def test_registers_are_read_and_written_across_the_socket(bench: Bench) -> None:
    bus = await i2c_bus(f"bench:{bench.path}")
    bench.chip.bytes[2:6] = bytes.fromhex("b900ffee")
    assert await bus.read_word_be(0x36, 2) == 0xB900
    assert await bus.read_byte(0x36, 4) == 0xFF
    assert await bus.read_block(0x36, 2, 4) == bytes.fromhex("b900ffee")
    await bus.write_word(0x36, 0x10, 0x1234)
    assert bench.chip.bytes[0x10:0x12] == bytes.fromhex("3412")
    await bus.close()


async def test_no_acknowledge_is_absent(bench: Bench) -> None:
    bus = await i2c_bus(f"bench:{bench.path}")
    with pytest.raises(DeviceError, match="absent"):
        await bus.read_byte(0x37, 2)
    bench.chip.failure = Nack
    with pytest.raises(DeviceError, match="absent"):
        await bus.read_byte(0x36, 2)
    await bus.close()


async def test_a_held_bus_times_out_and_its_late_end_is_no_other_calls_answer(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench_client, "TIMEOUT", 0.1)
    monkeypatch.setattr(i2c, "PAUSE", 0.1)
    bus = await i2c_bus(f"bench:{bench.path}", deadline=0.03)
    bench.chip.failure = Hang
    with pytest.raises(DeviceError, match="bus_stuck"):
        await bus.read_byte(0x36, 2)
    assert bus.stuck
    bench.chip.failure = None
    bench.chip.bytes[5] = 55
    await asyncio.sleep(0.2)
    assert await bus.read_byte(0x36, 5) == 55
    await bus.close()


async def test_an_answer_that_comes_too_late_is_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_client, "TIMEOUT", 0.05)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = json.loads(await reader.readline())
        second = json.loads(await reader.readline())
        for asked, data in ((first, "0b"), (second, "16")):
            writer.write(json.dumps({"id": asked["id"], "data": data}).encode() + b"\n")
        writer.close()

    async with await asyncio.start_unix_server(serve, tmp_path / "s"):
        bus = await asyncio.to_thread(BenchBus, str(tmp_path / "s"))
        with pytest.raises(DeviceError, match="timeout"):
            await asyncio.to_thread(bus.read_byte_data, 0x36, 1)
        assert await asyncio.to_thread(bus.read_byte_data, 0x36, 2) == 0x16
        bus.close()


async def test_a_bench_that_ends_is_unplugged_for_good(bench: Bench) -> None:
    bus = await i2c_bus(f"bench:{bench.path}")
    chip = await asyncio.to_thread(BenchChip, bench.path)
    await asyncio.to_thread(chip.configure, 6, LineConfig(), lambda _: None)
    await bench.server.unplug()
    for _ in range(2):
        with pytest.raises(DeviceError, match="unplugged"):
            await bus.read_byte(0x36, 2)
        with pytest.raises(DeviceError, match="unplugged"):
            await asyncio.to_thread(chip.read, 6)
    chip.release(6)
    chip.close()
    await bus.close()
    again = await i2c_bus(f"bench:{bench.path}")
    assert await again.read_byte(0x36, 2) == 0
    await again.close()


# Lines


async def test_a_led_at_the_bench(bench: Bench) -> None:
    async with gpio_header(f"bench:{bench.path}") as header:
        led = await header.call(lambda: gpiozero.LED(17, pin_factory=header.factory))
        await header.call(led.on)
        assert bench.server.level(17)
        await header.call(led.off)
        await header.call(led.on)
        await header.call(led.close)
    assert bench.levels(17) == [True, False, True, False], "a line given back is dark"
    assert [e.at for e in bench.outputs] == sorted(e.at for e in bench.outputs)


async def test_a_client_that_dies_leaves_its_lights_dark(bench: Bench) -> None:
    chip = await asyncio.to_thread(BenchChip, bench.path)
    await asyncio.to_thread(chip.configure, 17, LineConfig(output=True, high=True))
    assert bench.levels(17) == [True]
    chip.close()
    await until(lambda: bench.levels(17) == [True, False])


async def test_a_line_is_one_clients_at_a_time(bench: Bench) -> None:
    first, second = await asyncio.gather(*[asyncio.to_thread(BenchChip, bench.path) for _ in range(2)])
    await asyncio.to_thread(first.configure, 17, LineConfig(output=True))
    with pytest.raises(DeviceError, match="busy"):
        await asyncio.to_thread(second.configure, 17, LineConfig())
    with pytest.raises(DeviceError, match="refused"):
        await asyncio.to_thread(second.read, 17)
    await asyncio.to_thread(first.release, 17)
    await asyncio.to_thread(second.configure, 17, LineConfig(pull=Pull.UP))
    assert await asyncio.to_thread(second.read, 17)
    with pytest.raises(DeviceError, match="is an input"):
        await asyncio.to_thread(lambda: second.write(17, high=True))
    first.close()
    second.close()


async def test_a_driven_input_fires_gpiozeros_callback_and_reaches_the_loop(bench: Bench) -> None:
    woken, in_loop = asyncio.Event(), threading.get_ident()
    threads = []

    def pressed() -> None:
        threads.append(threading.get_ident())
        woken.set()

    async with gpio_header(f"bench:{bench.path}") as header:
        button = await header.call(lambda: gpiozero.Button(22, bounce_time=0.01, pin_factory=header.factory))
        button.when_pressed = handed_over(pressed)
        before = time.monotonic()
        bench.server.drive(22, high=False)
        async with asyncio.timeout(5):
            await woken.wait()
        assert time.monotonic() - before >= 0.01, "debounced"
        assert threads == [in_loop]
        await header.call(button.close)


async def test_a_pulse_shorter_than_the_debounce_is_not_seen(bench: Bench) -> None:
    chip = await asyncio.to_thread(BenchChip, bench.path)
    edges: list[Edge] = []
    await asyncio.to_thread(chip.configure, 6, LineConfig(debounce=0.03), edges.append)
    bench.server.drive(6, high=True)
    bench.server.drive(6, high=False)
    await asyncio.sleep(0.05)
    bench.server.drive(6, high=True)
    await until(lambda: bool(edges))
    assert [edge.high for edge in edges] == [True]
    bench.server.drive(6, high=None)
    await until(lambda: len(edges) == 2)
    assert edges[-1].high is False, "let go, it follows its pull"
    chip.close()


async def test_a_handed_over_callback_survives_its_loop() -> None:
    late: list[Callable[[], None]] = []

    async def make() -> None:
        late.append(handed_over(lambda: pytest.fail("the loop is closed")))

    await asyncio.to_thread(asyncio.run, make())
    late[0]()


async def test_a_header_that_is_not_there_is_absent(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="absent"):
        async with gpio_header(f"bench:{tmp_path}/none.sock"):
            pytest.fail("opened")


async def test_two_factories_on_one_bench_share_nothing(bench: Bench) -> None:
    def both() -> None:
        with HoldfastFactory(BenchChip(bench.path)) as one, HoldfastFactory(BenchChip(bench.path)) as two:
            first, second = gpiozero.LED(17, pin_factory=one), gpiozero.LED(27, pin_factory=two)
            first.on()
            second.on()
            first.close()
            second.close()

    await asyncio.to_thread(both)
    assert bench.levels(17) == bench.levels(27) == [True, False]


# Hostile peers


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(garbage=st.binary(min_size=1, max_size=200) | st.just(b"x" * (FRAME_LIMIT + 10)))
async def test_garbage_ends_its_own_connection_only(bench: Bench, garbage: bytes) -> None:
    reader, writer = await asyncio.open_unix_connection(bench.path)
    writer.write(garbage + b"\n")
    async with asyncio.timeout(5):
        assert await reader.read() == b""
    writer.close()
    good = await i2c_bus(f"bench:{bench.path}")
    assert await good.read_byte(0x36, 0) == 0
    await good.close()


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"x" * (FRAME_LIMIT + 1), "garbled"),
        (b"{}\n", "garbled"),
        (b'{"id":1,"data":"00"}\n', "garbled"),
        (b"", "unplugged"),
    ],
)
async def test_a_client_survives_a_bench_that_talks_nonsense(tmp_path: Path, answer: bytes, kind: str) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(answer)
        writer.close()

    async with await asyncio.start_unix_server(serve, tmp_path / "s"):
        bus = await asyncio.to_thread(BenchBus, str(tmp_path / "s"))
        with pytest.raises(DeviceError) as caught:
            await asyncio.to_thread(bus.read_word_data, 0x36, 2)
        assert caught.value.kind == kind
        bus.close()


async def test_a_listener_that_does_not_read_is_cut_off(bench: Bench) -> None:
    reader, writer = await asyncio.open_unix_connection(bench.path)
    writer.write(json.dumps({"do": "edges", "id": 1}).encode() + b"\n")
    assert await reader.readline() == b'{"id":1}\n'
    writer.transport.pause_reading()
    for turn in range(20_000):
        bench.server.drive(6, high=turn % 2 == 0)
        if not bench.server._watchers:
            break
        if turn % 100 == 0:
            await asyncio.sleep(0)
    await until(lambda: not bench.server._watchers)
    writer.transport.abort()


async def test_the_bench_ends_although_a_listener_does_not_read(tmp_path: Path) -> None:
    made = Bench(tmp_path / "bench.sock")
    async with asyncio.timeout(5):
        async with made.server:
            reader, writer = await asyncio.open_unix_connection(made.path)
            writer.write(json.dumps({"do": "edges", "id": 1}).encode() + b"\n")
            await reader.readline()
            writer.transport.pause_reading()
            while not any(client.transport.get_write_buffer_size() for client in made.server._watchers):
                made.server.drive(6, high=not made.server.level(6))
    writer.transport.abort()
