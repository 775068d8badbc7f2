"""GPIO lines of the kernel, through libgpiod 2 (the kernel's GPIO character device, uAPI v2)."""

from __future__ import annotations

import errno
import os
import select
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from glob import glob

import gpiod
from gpiod.line import Bias, Direction, Value
from gpiod.line import Edge as EdgeDetection

from holdfast_drivers.links.lines import Edge, LineConfig, OnEdge, Pull
from holdfast_drivers.values import DeviceError

HEADER_LABELS = ("pinctrl-bcm2835", "pinctrl-bcm2711", "pinctrl-rp1")
"""Labels of the header's chip on Pi up to 3, Pi 4 and Pi 5. Chip numbers change between kernels; these have not."""
CONSUMER = "holdfast"

_BIAS = {Pull.FLOATING: Bias.DISABLED, Pull.UP: Bias.PULL_UP, Pull.DOWN: Bias.PULL_DOWN}
_KINDS = {
    errno.EBUSY: "busy",
    errno.EACCES: "refused",
    errno.EPERM: "refused",
    errno.ENOENT: "absent",
    errno.ENODEV: "unplugged",
}
_GONE = select.POLLERR | select.POLLHUP | select.POLLNVAL


def find_chip(labels: Sequence[str] = HEADER_LABELS) -> KernelChip:
    """The chip that carries one of `labels`. Raises DeviceError("absent") naming the labels that are there."""
    seen = []
    for path in sorted(glob("/dev/gpiochip*")):  # noqa: PTH207 - paths go to libgpiod as text
        with _typed(path), gpiod.Chip(path) as chip:
            label = chip.get_info().label
        if label in labels:
            return KernelChip(path)
        seen.append(label)
    raise DeviceError("absent", f"no GPIO chip labelled {' or '.join(labels)}; found: {', '.join(seen) or 'none'}")


def line_settings(config: LineConfig, *, watched: bool) -> gpiod.LineSettings:
    """A line's use in libgpiod's terms; edges carry the kernel's monotonic time stamp."""
    if config.output:
        level = Value.ACTIVE if config.high else Value.INACTIVE
        return gpiod.LineSettings(direction=Direction.OUTPUT, output_value=level)
    return gpiod.LineSettings(
        direction=Direction.INPUT,
        bias=_BIAS[config.pull],
        debounce_period=timedelta(seconds=config.debounce),
        edge_detection=EdgeDetection.BOTH if watched else EdgeDetection.NONE,
    )


class KernelChip:
    """A LineChip of the kernel: one request per line; one thread, started with the first watched line, reads edges."""

    def __init__(self, path: str) -> None:
        self.name = path
        self._lock = threading.RLock()
        self._requests: dict[int, gpiod.LineRequest] = {}
        self._watched: dict[int, tuple[gpiod.LineRequest, OnEdge]] = {}
        self._watcher: threading.Thread | None = None
        with _typed(path):
            self._chip = gpiod.Chip(path)
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)

    def configure(self, line: int, config: LineConfig, on_edge: OnEdge | None = None) -> None:
        settings = line_settings(config, watched=on_edge is not None)
        with self._lock, _typed(f"{self.name} line {line}"):
            request = self._requests.get(line)
            if request is None:
                request = self._chip.request_lines({line: settings}, consumer=CONSUMER)
                self._requests[line] = request
            else:
                request.reconfigure_lines({line: settings})
            self._watch(request, None if config.output else on_edge)

    def read(self, line: int) -> bool:
        with self._lock, _typed(f"{self.name} line {line}"):
            return self._request(line).get_value(line) is Value.ACTIVE

    def write(self, line: int, *, high: bool) -> None:
        with self._lock, _typed(f"{self.name} line {line}"):
            self._request(line).set_value(line, Value.ACTIVE if high else Value.INACTIVE)

    def release(self, line: int) -> None:
        with self._lock:
            request = self._requests.pop(line, None)
            if request is not None:
                self._watch(request, None)
                request.release()

    def close(self) -> None:
        with self._lock:
            for line in list(self._requests):
                self.release(line)
            if not self._chip:
                return
            self._chip.close()
            os.eventfd_write(self._wake, 1)
            watcher = self._watcher
        if watcher is not None and watcher is not threading.current_thread():
            watcher.join()
        os.close(self._wake)

    def _request(self, line: int) -> gpiod.LineRequest:
        request = self._requests.get(line)
        if request is None:
            raise DeviceError("refused", f"{self.name} line {line} is not configured")
        return request

    def _watch(self, request: gpiod.LineRequest, on_edge: OnEdge | None) -> None:
        if on_edge is None:
            self._watched.pop(request.fd, None)
        else:
            self._watched[request.fd] = (request, on_edge)
            if self._watcher is None:
                self._watcher = threading.Thread(target=self._run, name=f"edges {self.name}", daemon=True)
                self._watcher.start()
        os.eventfd_write(self._wake, 1)

    def _run(self) -> None:
        while True:
            poller = select.poll()
            poller.register(self._wake, select.POLLIN)
            with self._lock:
                if not self._chip:
                    return
                for fd in self._watched:
                    poller.register(fd, select.POLLIN)
            for fd, flags in poller.poll():
                if fd == self._wake:
                    with suppress(BlockingIOError):
                        os.eventfd_read(fd)
                else:
                    self._deliver(fd, gone=bool(flags & _GONE))

    def _deliver(self, fd: int, *, gone: bool) -> None:
        """Hand on the edges waiting at `fd`, which may by now be another line's or none's."""
        with self._lock:
            if gone:
                self._watched.pop(fd, None)
            request, on_edge = self._watched.get(fd, (None, None))
            if request is None or on_edge is None or not request.wait_edge_events(0):
                return
            events = request.read_edge_events()
        for event in events:
            high = event.event_type is gpiod.EdgeEvent.Type.RISING_EDGE
            on_edge(Edge(event.line_offset, high, event.timestamp_ns / 1e9))


@contextmanager
def _typed(where: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DeviceError(_KINDS.get(error.errno or 0, "refused"), f"{where}: {error.strerror}") from error
