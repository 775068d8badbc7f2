"""The screen of a simulated display: bytes in, two lines of cells out. Pure; any split of the same bytes is the same.

Understands both command sets at once. A command it does not know is counted and swallowed, its arguments shown.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from holdfast_drivers.displays.commands import HEIGHT, PAGES, WIDTH

CELLS = WIDTH * HEIGHT
_BY_NUMBER = {number: page for page, number in PAGES.items()}
_ARGUMENTS = {
    b"\x1b@": 0, b"\x1bt": 1, b"\x1bR": 1, b"\x1b=": 1, b"\x1bQ": 1, b"\x1f\x01": 0, b"\x1f$": 2, b"\x1fC": 1,
}  # fmt: skip
"""Bytes after each command's two."""


@dataclass(slots=True)
class Screen:
    cells: list[str] = field(default_factory=lambda: [" "] * CELLS)
    cursor: int = 0
    page: str = "cp437"
    devices: int = 3
    """ESC =: 1 the printer, 2 the display, 3 both."""
    printed: bytes = b""
    """The last of what was passed on to the printer behind it."""
    unknown: int = 0
    shown: int = 0
    """Characters put on the screen."""
    _command: bytes = b""
    _string: int | None = None
    """The line that ESC Q writes."""

    @property
    def lines(self) -> tuple[str, str]:
        text = "".join(self.cells)
        return text[:WIDTH], text[WIDTH:]

    def feed(self, data: bytes) -> None:
        for byte in data:
            self._take(bytes([byte]))

    def _take(self, byte: bytes) -> None:
        if self._command:
            self._command += byte
            self._try_command()
        elif byte in (b"\x1b", b"\x1f") and self._string is None:
            self._command = byte
        elif not self.devices & 2:
            self._pass_on(byte)
        else:
            self._show(byte)

    def _try_command(self) -> None:
        name, arguments = self._command[:2], self._command[2:]
        if len(self._command) < 2 or len(arguments) < _ARGUMENTS.get(name, 0):
            return
        command, self._command = self._command, b""
        if name == b"\x1b=":
            self.devices = arguments[0] & 3
        elif not self.devices & 2:
            self._pass_on(command)
        elif name in _ARGUMENTS:
            self._obey(name, arguments)
        else:
            self.unknown += 1

    def _obey(self, name: bytes, arguments: bytes) -> None:
        if name == b"\x1b@":
            self._clear()
            self.page = "cp437"
        elif name == b"\x1bt":
            self.page = _BY_NUMBER.get(arguments[0], self.page)
            self.unknown += arguments[0] not in _BY_NUMBER
        elif name == b"\x1f$":
            column, row = arguments
            if 1 <= column <= WIDTH and 1 <= row <= HEIGHT:
                self.cursor = (row - 1) * WIDTH + column - 1
        elif name == b"\x1bQ":
            self._begin_string(arguments)

    def _begin_string(self, which: bytes) -> None:
        if which not in (b"A", b"B"):
            self.unknown += 1
            return
        self._string = b"AB".index(which)
        self.cursor = self._string * WIDTH
        self.cells[self.cursor : self.cursor + WIDTH] = [" "] * WIDTH

    def _show(self, byte: bytes) -> None:
        if self._string is not None and byte in (b"\r", b"\x0c"):
            self._string = None
            if byte == b"\r":
                return
        if byte == b"\x0c":
            self._clear()
        elif byte == b"\x0b":
            self.cursor = 0
        elif byte >= b" ":
            self.shown += 1
            self.cells[self.cursor] = byte.decode(self.page, "replace")
            self._advance()

    def _advance(self) -> None:
        """At the end of a string's line it stays; otherwise it goes round."""
        if self._string is None:
            self.cursor = (self.cursor + 1) % CELLS
        else:
            self.cursor = min(self.cursor + 1, self._string * WIDTH + WIDTH - 1)

    def _clear(self) -> None:
        self.cells = [" "] * CELLS
        self.cursor = 0

    def _pass_on(self, data: bytes) -> None:
        if self.devices & 1:
            self.printed = (self.printed + data)[-4096:]
