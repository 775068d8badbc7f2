"""Two GPIO lines on one wire, as gpiozero's own tests of pin factories want them."""

from __future__ import annotations

from holdfast_drivers.links.lines import LineConfig, MemoryChip, OnEdge, Pull


class WiredChip(MemoryChip):
    """Lines in `wire` are one net: an output drives it, else pulls do, weakly; a floating one keeps its level."""

    def __init__(self, wire: tuple[int, ...] = (22, 27)) -> None:
        super().__init__("wired")
        self.wire = wire
        self._level = False

    def configure(self, line: int, config: LineConfig, on_edge: OnEdge | None = None) -> None:
        super().configure(line, config, on_edge)
        self._settle_wire()

    def write(self, line: int, *, high: bool) -> None:
        super().write(line, high=high)
        self._settle_wire()

    def release(self, line: int) -> None:
        super().release(line)
        self._settle_wire()

    def _settle_wire(self) -> None:
        cells = {line: cell for line, cell in self._cells.items() if line in self.wire}
        drives = [cell.high for cell in cells.values() if cell.config.output]
        pulls = [cell.config.pull is Pull.UP for cell in cells.values() if cell.config.pull is not Pull.FLOATING]
        self._level = (drives or pulls or [self._level])[0]
        for line, cell in cells.items():
            if not cell.config.output:
                self.drive(line, high=self._level)
