"""gpiozero's devices on our lines: a pin factory over any LineChip. Importing this imports gpiozero.

Registered as the entry point `holdfast` of `gpiozero_pin_factories`, so `GPIOZERO_PIN_FACTORY=holdfast` puts any
gpiozero program on it. No PWM and no SPI: neither is on the panel, and libgpiod has neither.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NoReturn

from gpiozero.exc import (
    PinFixedPull,
    PinInvalidBounce,
    PinInvalidEdges,
    PinInvalidFunction,
    PinInvalidPull,
    PinInvalidState,
    PinPWMUnsupported,
    PinSetInput,
    PinSPIUnsupported,
)
from gpiozero.pins.local import get_pi_revision
from gpiozero.pins.pi import PiFactory, PiPin

from holdfast_drivers.links.bench_client import BenchChip
from holdfast_drivers.links.gpiochip import find_chip
from holdfast_drivers.links.lines import Edge, LineChip, LineConfig, Pull

BENCH = "bench:"
HEADER = "header"
PI_4B = 0xB03111
"""Revision code whose header a chip that is in no Raspberry Pi is given: Pi 4B, 2 GB."""

_LEVEL_AFTER = {"both": (False, True), "rising": (True,), "falling": (False,), "none": ()}


def open_chip(spec: str = HEADER) -> LineChip:
    """`header`: the Pi's own, by its label; `bench:/path.sock`; else the chip labelled `spec`. Raises DeviceError."""
    if spec.startswith(BENCH):
        return BenchChip(spec.removeprefix(BENCH))
    return find_chip() if spec == HEADER else find_chip([spec])


class HoldfastFactory(PiFactory):  # type: ignore[misc]  # gpiozero ships no types
    """Pins of one LineChip, which it owns. Without arguments: the header's chip of the Pi it runs on.

    Raises DeviceError(`absent`|`refused`) when there is none, gpiozero.PinUnknownPi off a Raspberry Pi.
    """

    def __init__(self, chip: LineChip | None = None, *, revision: int | None = None) -> None:
        super().__init__()
        self.pin_class = HoldfastPin
        self.chip = chip or open_chip()
        self._revision = PI_4B if chip and revision is None else revision

    def close(self) -> None:
        super().close()
        self.chip.close()

    def ticks(self) -> float:
        """Monotonic seconds: the clock of an edge's time stamp."""
        return time.monotonic()

    def ticks_diff(self, later: float, earlier: float) -> float:
        return later - earlier

    def spi(self, **_: Any) -> NoReturn:
        raise PinSPIUnsupported("SPI is not supported by this pin factory")

    def _get_revision(self) -> int:
        if self._revision is None:
            self._revision = get_pi_revision()
        return self._revision


class HoldfastPin(PiPin):  # type: ignore[misc]  # as above
    """One line. Taken from the chip when first configured, given back by close(), then free to be taken again."""

    def __init__(self, factory: HoldfastFactory, info: Any) -> None:
        super().__init__(factory, info)
        self._chip = factory.chip
        self._edges = "both"
        self._config = LineConfig(pull=Pull(info.pull or "floating"))

    def close(self) -> None:
        self._when_changed = None
        self._chip.release(self._number)
        self._config = LineConfig(pull=Pull(self.info.pull or "floating"))

    def output_with_state(self, state: Any) -> None:
        """Become an output that starts at `state`, without a blip."""
        self._apply(LineConfig(output=True, high=_level(state)))

    def input_with_pull(self, pull: str) -> None:
        """Become an input with that pull, in one step."""
        self._apply(LineConfig(pull=self._checked_pull(pull)))

    def _apply(self, config: LineConfig) -> None:
        watched = self._when_changed is not None
        self._chip.configure(self._number, config, self._on_edge if watched else None)
        self._config = config

    def _get_function(self) -> str:
        return "output" if self._config.output else "input"

    def _set_function(self, value: str) -> None:
        if value not in ("input", "output"):
            raise PinInvalidFunction(f"invalid function {value!r} for pin {self!r}")
        if value == "output":
            self._apply(LineConfig(output=True, high=self._config.output and self.state))
        else:
            self._apply(LineConfig(pull=Pull(self.info.pull or "floating")))

    def _get_state(self) -> bool:
        return self._chip.read(self._number)

    def _set_state(self, value: Any) -> None:
        if not self._config.output:
            raise PinSetInput(f"cannot set state of pin {self!r}")
        self._chip.write(self._number, high=_level(value))

    def _get_pull(self) -> str:
        return self._config.pull.value

    def _set_pull(self, value: str) -> None:
        if self._config.output:
            raise PinFixedPull(f"cannot set pull on non-input pin {self!r}")
        self._apply(replace(self._config, pull=self._checked_pull(value)))

    def _checked_pull(self, value: str) -> Pull:
        if value not in {pull.value for pull in Pull}:
            raise PinInvalidPull(f"invalid pull {value!r} for pin {self!r}")
        if self.info.pull not in (value, ""):
            raise PinFixedPull(f"{self!r} has a physical pull-{self.info.pull} resistor")
        return Pull(value)

    def _set_frequency(self, value: float | None) -> None:
        if value is not None:
            raise PinPWMUnsupported(f"PWM is not supported on pin {self!r}")

    def _get_bounce(self) -> float | None:
        return self._config.debounce or None

    def _set_bounce(self, value: float | None) -> None:
        if value is not None and value < 0:
            raise PinInvalidBounce("bounce must be 0 or greater")
        self._apply(replace(self._config, debounce=value or 0.0))

    def _get_edges(self) -> str:
        return self._edges

    def _set_edges(self, value: str) -> None:
        if value not in _LEVEL_AFTER:
            raise PinInvalidEdges(f"invalid edges {value!r} for pin {self!r}")
        self._edges = value

    def _enable_event_detect(self) -> None:
        self._chip.configure(self._number, self._config, self._on_edge)

    def _disable_event_detect(self) -> None:
        self._chip.configure(self._number, self._config)

    def _on_edge(self, edge: Edge) -> None:
        reference: Callable[[], Callable[[float, bool], None] | None] | None = self._when_changed
        handler = reference() if reference is not None else None
        if handler is not None and edge.high in _LEVEL_AFTER[self._edges]:
            handler(edge.at, edge.high)


def _level(value: Any) -> bool:
    if value not in (0, 1):
        raise PinInvalidState(f"a pin without PWM has states 0 and 1, not {value!r}")
    return bool(value)
