"""A cash drawer on the hub's own lines: kicked by the spool as a printer's would be, watched until it is shut."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from holdfast.config import Drawer
from holdfast.devices.health import HealthBoard, Verdict
from holdfast.devices.printer import DRAWER
from holdfast.runtime.clock import Clock
from holdfast_drivers.links.header import gpio_header
from holdfast_drivers.panel import drawer as driver
from holdfast_drivers.values import DeviceError, Document, PrintResult, Tri

LOOK_EVERY = 2.0
"""Seconds between looks at the switch: an edge can be missed."""
OPENS_WITHIN = 1.0
"""Seconds after a pulse by which its switch sees a drawer open that was shut."""
STUCK = "it did not open when it was kicked: see whether it is locked or something blocks it, then the relay's wires"
LEFT = "it has been open for long: shut it"


class DrawerDevice:
    """`run` is one life of the lines; `kick` may be called at any time."""

    def __init__(
        self,
        options: Drawer,
        *,
        health: HealthBoard,
        clock: Clock,
        left: Callable[[bool], None],
        pulsed: Callable[[], None],
    ) -> None:
        """`left` is told when the drawer has been open for too long, and when that is over; `pulsed` of every kick."""
        self.name = DRAWER
        self._options = options
        self._health = health
        self._clock = clock
        self._left = left
        self._pulsed = pulsed
        self._drawer: driver.Drawer | None = None
        self._open = Tri.UNKNOWN
        self._open_since: float | None = None
        self._kicked_at: float | None = None
        """When it was kicked while it was known to be shut, until it opens."""
        self._stuck = Tri.UNKNOWN
        self._told_left = False
        health.add(DRAWER, "drawer", options.chip)

    async def run(self) -> None:
        """Raises DeviceError when the lines are absent or fail."""
        options = self._options
        lines = driver.DrawerLines(
            relay=options.relay,
            relay_active=options.relay_active,
            pulse=options.pulse_ms / 1000,
            sensor=options.sensor,
            open_level=options.open_level,
        )
        async with gpio_header(options.chip) as header, driver.open_drawer(header, lines) as drawer:
            self._drawer = drawer
            try:
                while True:
                    self._see(await drawer.is_open(), self._clock.monotonic())
                    await drawer.wait(LOOK_EVERY if self._kicked_at is None else OPENS_WITHIN)
            finally:
                self._drawer = None
                self._see_nothing()

    async def kick(self) -> bool:
        """Open it. False: nothing was done. True: the pulse was given, or may have been."""
        drawer = self._drawer
        if drawer is None:
            return False
        try:
            sent = await drawer.kick()
        except DeviceError as error:
            sent = error.kind == "timeout"
        if sent:
            self._pulsed()
            if self._open is Tri.NO:
                self._kicked_at = self._clock.monotonic()
        return sent

    async def check(self) -> Verdict:
        """CheckHealth, external: what its switch says. It is never kicked for a test: no reason is recorded."""
        drawer = self._drawer
        if drawer is None:
            return Tri.NO, "its lines are not open"
        seen = await drawer.is_open()
        if seen is Tri.UNKNOWN:
            return Tri.UNKNOWN, "it has no switch; NOSALE kicks it, for a reason that is recorded"
        words = "open" if seen is Tri.YES else "shut"
        return Tri.NO if self._stuck is Tri.YES else Tri.YES, f"its switch says {words}"

    def _see(self, is_open: Tri, now: float) -> None:
        self._open = is_open
        if is_open is Tri.YES:
            self._open_since = now if self._open_since is None else self._open_since
            self._kicked_at, self._stuck = None, Tri.NO
        else:
            self._open_since = None
        if self._kicked_at is not None and now - self._kicked_at >= OPENS_WITHIN:
            self._kicked_at, self._stuck = None, Tri.YES
        left = self._open_since is not None and now - self._open_since >= self._options.left_open_seconds
        self._tell(left)
        finding = {"finding": STUCK} if self._stuck is Tri.YES else {"finding": LEFT} if left else {}
        open_long = Tri.UNKNOWN if is_open is Tri.UNKNOWN else Tri.YES if left else Tri.NO
        self._health.online(
            self.name, open=is_open.value, stuck=self._stuck.value, left_open=open_long.value, **finding
        )

    def _see_nothing(self) -> None:
        self._open, self._open_since, self._kicked_at = Tri.UNKNOWN, None, None
        self._tell(left=False)

    def _tell(self, left: bool) -> None:
        if left is not self._told_left:
            self._told_left = left
            self._left(left)


class Paper(Protocol):
    """What prints."""

    async def print(self, document: Document, job: int, *, started: Callable[[], Awaitable[None]]) -> PrintResult: ...

    def ready(self) -> Tri: ...

    async def wait_change(self) -> None: ...


class PaperAndDrawer:
    """A printer beside a drawer that does not hang on it."""

    def __init__(self, paper: Paper, drawer: DrawerDevice) -> None:
        self.print = paper.print
        self.ready = paper.ready
        self.wait_change = paper.wait_change
        self.kick = drawer.kick
