"""gpiozero's devices on our pin factory; the kernel back end against a libgpiod whose events come over real pipes."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from importlib.metadata import entry_points
from types import SimpleNamespace
from typing import Any, ClassVar, Self

import gpiod
import gpiozero
import pytest
from gpiod.line import Bias, Direction, Value
from gpiod.line import Edge as EdgeDetection

from holdfast_drivers.links import gpiochip
from holdfast_drivers.links.gpio import HoldfastFactory, open_chip
from holdfast_drivers.links.gpiochip import KernelChip, find_chip, line_settings
from holdfast_drivers.links.lines import Edge, LineConfig, MemoryChip, Pull
from holdfast_drivers.values import DeviceError
from support.descriptors import open_descriptors


@pytest.fixture
def chip() -> MemoryChip:
    return MemoryChip()


@pytest.fixture
def factory(chip: MemoryChip) -> Iterator[HoldfastFactory]:
    with HoldfastFactory(chip) as made:
        yield made


def levels(chip: MemoryChip, line: int) -> list[bool]:
    return [edge.high for edge in chip.written if edge.line == line]


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, "never came true"
        time.sleep(0.002)


# Outputs


def test_led_switches_its_line(factory: HoldfastFactory, chip: MemoryChip) -> None:
    with gpiozero.LED(17, pin_factory=factory) as led:
        led.on()
        assert led.is_lit
        assert chip.read(17)
        led.toggle()
        assert not led.is_lit
    assert levels(chip, 17) == [True, False]


def test_active_low_output_starts_high_without_a_blip(factory: HoldfastFactory, chip: MemoryChip) -> None:
    with gpiozero.DigitalOutputDevice(17, active_high=False, pin_factory=factory) as device:
        assert chip.read(17)
        device.on()
        assert not chip.read(17)
    assert levels(chip, 17) == [True, False]


def test_an_output_left_as_found_keeps_its_level(factory: HoldfastFactory, chip: MemoryChip) -> None:
    factory.pin(17).output_with_state(1)
    with gpiozero.LED(17, initial_value=None, pin_factory=factory) as led:
        assert led.is_lit
    assert levels(chip, 17) == [True]


@pytest.mark.parametrize("device", [gpiozero.LED, gpiozero.Buzzer])
def test_blinking_and_beeping_run_in_the_background(
    factory: HoldfastFactory, chip: MemoryChip, device: type[Any]
) -> None:
    with device(27, pin_factory=factory) as made:
        made.blink(on_time=0.001, off_time=0.001, n=3)
        until(lambda: levels(chip, 27) == [True, False] * 3)


def test_pwm_and_spi_are_refused(factory: HoldfastFactory) -> None:
    with pytest.raises(gpiozero.PinPWMUnsupported):
        gpiozero.PWMLED(17, pin_factory=factory)
    with pytest.raises(gpiozero.PinSPIUnsupported):
        factory.spi(port=0, device=0)


# Inputs


def test_button_fires_on_press_and_release(factory: HoldfastFactory, chip: MemoryChip) -> None:
    seen = []
    with gpiozero.Button(22, pin_factory=factory) as button:
        button.when_pressed = lambda: seen.append("pressed")
        button.when_released = lambda: seen.append("released")
        assert not button.is_pressed, "pulled up at rest"
        chip.drive(22, high=False)
        assert button.is_pressed
        chip.drive(22, high=True)
        assert button.active_time is None
    assert seen == ["pressed", "released"]


def test_digital_input_reports_when_it_changed(factory: HoldfastFactory, chip: MemoryChip) -> None:
    with gpiozero.DigitalInputDevice(6, pull_up=None, active_state=True, pin_factory=factory) as device:
        chip.drive(6, high=True)
        assert device.wait_for_active(1)
        assert device.active_time is not None
        assert 0 <= device.active_time < 5


def test_bounce_swallows_a_short_pulse_and_passes_a_long_one(factory: HoldfastFactory, chip: MemoryChip) -> None:
    with gpiozero.DigitalInputDevice(6, bounce_time=0.03, pin_factory=factory) as device:
        changes = []
        device.when_activated = lambda: changes.append("on")
        device.when_deactivated = lambda: changes.append("off")
        chip.drive(6, high=True)
        chip.drive(6, high=False)
        time.sleep(0.06)
        assert changes == []
        chip.drive(6, high=True)
        until(lambda: changes == ["on"])


@pytest.mark.parametrize(("edges", "wanted"), [("both", [1, 0]), ("rising", [1]), ("falling", [0]), ("none", [])])
def test_pin_reports_the_edges_asked_for(
    factory: HoldfastFactory, chip: MemoryChip, edges: str, wanted: list[int]
) -> None:
    pin, seen = factory.pin(6), []

    def changed(_at: float, state: bool) -> None:
        seen.append(int(state))

    pin.input_with_pull("down")
    pin.edges = edges
    pin.when_changed = changed
    chip.drive(6, high=True)
    chip.drive(6, high=False)
    pin.when_changed = None
    chip.drive(6, high=True)
    assert seen == wanted
    assert pin.edges == edges


def test_a_pin_does_not_keep_its_listener_alive(factory: HoldfastFactory, chip: MemoryChip) -> None:
    pin = factory.pin(6)
    pin.input_with_pull("down")

    def changed(_at: float, _state: bool) -> None:
        pytest.fail("the listener is gone")

    pin.when_changed = changed
    del changed
    chip.drive(6, high=True)
    assert pin.when_changed is None


# What gpiozero expects of a factory


def test_a_pin_in_use_is_refused_and_free_after_close(factory: HoldfastFactory) -> None:
    led = gpiozero.LED(17, pin_factory=factory)
    with pytest.raises(gpiozero.GPIOPinInUse):
        gpiozero.Button(17, pin_factory=factory)
    led.close()
    with gpiozero.Button(17, pin_factory=factory) as button:
        assert button.pull_up
        assert button.pin is factory.pin("GPIO17") is factory.pin("BOARD11")


def test_pins_say_what_they_cannot_do(factory: HoldfastFactory) -> None:
    pin = factory.pin(17)
    pin.output_with_state(0)
    with pytest.raises(gpiozero.PinFixedPull):
        pin.pull = "up"
    with pytest.raises(gpiozero.PinInvalidState):
        pin.state = 0.5
    with pytest.raises(gpiozero.PinInvalidFunction):
        pin.function = "alt5"
    pin.function = "input"
    with pytest.raises(gpiozero.PinSetInput):
        pin.state = 1
    with pytest.raises(gpiozero.PinInvalidPull):
        pin.pull = "sideways"
    with pytest.raises(gpiozero.PinInvalidBounce):
        pin.bounce = -1
    with pytest.raises(gpiozero.PinInvalidEdges):
        pin.edges = "sharp"
    with pytest.raises(gpiozero.PinInvalidPin):
        factory.pin(99)
    with pytest.raises(gpiozero.PinInvalidState, match="floating"):
        gpiozero.InputDevice(6, pull_up=None, pin_factory=factory)


def test_the_board_pulls_up_gpio2(factory: HoldfastFactory) -> None:
    with pytest.raises(gpiozero.PinFixedPull):
        factory.pin(2).pull = "down"
    factory.pin(2).pull = "up"
    assert factory.pin(2).pull == "up"


def test_closing_the_factory_gives_every_line_back(chip: MemoryChip) -> None:
    factory = HoldfastFactory(chip)
    led = gpiozero.LED(17, pin_factory=factory)
    factory.close()
    with pytest.raises(DeviceError, match="not configured"):
        chip.read(17)
    led.close()


def test_ticks_are_the_clock_of_the_edges(factory: HoldfastFactory) -> None:
    before = time.monotonic()
    assert before <= factory.ticks() <= time.monotonic()
    assert factory.ticks_diff(3.5, 1.0) == 2.5


def test_gpiozero_finds_the_factory_and_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpiochip, "glob", lambda _: [])
    (entry,) = entry_points(group="gpiozero_pin_factories", name="holdfast")
    assert entry.load() is HoldfastFactory
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "holdfast")
    with pytest.raises(DeviceError, match=r"no GPIO chip labelled .*pinctrl-rp1; found: none"):
        gpiozero.LED(17)


# The kernel's chip. libgpiod is replaced at its own interface; event descriptors are real pipes.


class FakeRequest:
    def __init__(self, chip: FakeGpiod, settings: dict[int, gpiod.LineSettings]) -> None:
        self.chip = chip
        self.settings = dict(settings)
        self.fd, self.far = os.pipe()
        self.events: list[Any] = []
        self.values = {line: s.output_value for line, s in settings.items()}
        self.released = False

    def reconfigure_lines(self, settings: dict[int, gpiod.LineSettings]) -> None:
        self.settings |= settings

    def get_value(self, line: int) -> Value:
        return self.values[line]

    def set_value(self, line: int, value: Value) -> None:
        self.values[line] = value

    def happen(self, kind: gpiod.EdgeEvent.Type, at_ns: int) -> None:
        (line,) = self.settings
        self.events.append(SimpleNamespace(event_type=kind, timestamp_ns=at_ns, line_offset=line))
        os.write(self.far, b"e")

    def wait_edge_events(self, timeout: float) -> bool:
        assert timeout == 0, "the watcher must not block with the lock held"
        return bool(self.events)

    def read_edge_events(self) -> list[Any]:
        os.read(self.fd, len(self.events))
        events, self.events = self.events, []
        return events

    def release(self) -> None:
        self.released = True
        os.close(self.fd)
        os.close(self.far)


class FakeGpiod:
    """gpiod.Chip over a table of paths and labels."""

    labels: ClassVar = {"/dev/gpiochip0": "gpio-brcmstb", "/dev/gpiochip13": "pinctrl-rp1"}
    busy: ClassVar[set[int]] = set()
    made: ClassVar[list[FakeGpiod]] = []

    def __init__(self, path: str) -> None:
        if path not in self.labels:
            raise OSError(errno.ENOENT, "No such file or directory")
        self.path = path
        self.open = True
        self.requests: list[FakeRequest] = []
        self.made.append(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __bool__(self) -> bool:
        return self.open

    def get_info(self) -> Any:
        return SimpleNamespace(label=self.labels[self.path])

    def request_lines(self, settings: dict[int, gpiod.LineSettings], consumer: str) -> FakeRequest:
        assert consumer == "holdfast"
        if self.busy & set(settings):
            raise OSError(errno.EBUSY, "Device or resource busy")
        self.requests.append(FakeRequest(self, settings))
        return self.requests[-1]

    def close(self) -> None:
        self.open = False


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Iterator[KernelChip]:
    monkeypatch.setattr(FakeGpiod, "made", [])
    monkeypatch.setattr(FakeGpiod, "busy", {4})
    monkeypatch.setattr(gpiochip, "glob", lambda _: list(FakeGpiod.labels))
    monkeypatch.setattr(gpiochip.gpiod, "Chip", FakeGpiod)
    descriptors = open_descriptors()
    chip = find_chip()
    yield chip
    chip.close()
    chip.close()
    assert open_descriptors() == descriptors


def test_the_header_is_found_by_label_whatever_its_number(kernel: KernelChip) -> None:
    assert kernel.name == "/dev/gpiochip13"
    assert [chip.open for chip in FakeGpiod.made] == [False, False, True], "looked-at chips are closed again"
    with pytest.raises(DeviceError, match="labelled nobody; found: gpio-brcmstb, pinctrl-rp1"):
        open_chip("nobody")


def test_a_busy_line_is_busy(kernel: KernelChip) -> None:
    with pytest.raises(DeviceError) as caught:
        kernel.configure(4, LineConfig())
    assert caught.value.kind == "busy"


def test_settings_say_what_libgpiod_needs() -> None:
    wanted = gpiod.LineSettings(
        direction=Direction.INPUT,
        bias=Bias.PULL_UP,
        debounce_period=timedelta(milliseconds=50),
        edge_detection=EdgeDetection.BOTH,
    )
    assert line_settings(LineConfig(pull=Pull.UP, debounce=0.05), watched=True) == wanted
    assert line_settings(LineConfig(), watched=False).edge_detection is EdgeDetection.NONE
    assert line_settings(LineConfig(output=True, high=True), watched=False).output_value is Value.ACTIVE


def test_a_line_keeps_one_request_through_every_use(kernel: KernelChip) -> None:
    with HoldfastFactory(kernel, revision=0xC04170) as factory:
        with gpiozero.Button(6, pin_factory=factory):
            pass
        with gpiozero.LED(17, pin_factory=factory) as led:
            led.on()
            led.off()
            led.on()
            (button_line, led_line) = FakeGpiod.made[-1].requests
            assert led_line.values[17] is Value.ACTIVE
            assert kernel.read(17)
        assert (button_line.released, led_line.released) == (True, True)


def test_edges_carry_the_kernels_time_stamp(kernel: KernelChip) -> None:
    seen: list[Edge] = []
    kernel.configure(6, LineConfig(), seen.append)
    kernel.configure(7, LineConfig(), seen.append)
    six, seven = FakeGpiod.made[-1].requests
    six.happen(gpiod.EdgeEvent.Type.RISING_EDGE, 1_500_000_000)
    until(lambda: len(seen) == 1)
    seven.happen(gpiod.EdgeEvent.Type.FALLING_EDGE, 2_000_000_001)
    until(lambda: len(seen) == 2)
    assert seen == [Edge(6, True, 1.5), Edge(7, False, 2.000000001)]


def test_a_line_no_longer_watched_is_silent(kernel: KernelChip) -> None:
    seen: list[Edge] = []
    kernel.configure(6, LineConfig(), seen.append)
    kernel.configure(7, LineConfig(), seen.append)
    six, seven = FakeGpiod.made[-1].requests
    kernel.configure(6, LineConfig())
    six.happen(gpiod.EdgeEvent.Type.RISING_EDGE, 1)
    seven.happen(gpiod.EdgeEvent.Type.RISING_EDGE, 2)
    until(lambda: len(seen) == 1)
    assert [edge.line for edge in seen] == [7]


def test_closing_ends_the_watcher(kernel: KernelChip) -> None:
    kernel.configure(6, LineConfig(), lambda _: None)
    name = f"edges {kernel.name}"
    assert name in {thread.name for thread in threading.enumerate()}
    kernel.close()
    assert name not in {thread.name for thread in threading.enumerate()}
