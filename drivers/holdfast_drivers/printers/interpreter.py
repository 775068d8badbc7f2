"""A printer's firmware without the printer: bytes in, things drawn on paper out. Pure; keeps one line at most."""

from __future__ import annotations

from collections.abc import Mapping

from holdfast_drivers.printers.bematech import BEMATECH, COMMAND_SET, SELECT
from holdfast_drivers.printers.commands import Command, Printable, Tokeniser, Unknown
from holdfast_drivers.printers.escpos_interpreter import ESCPOS
from holdfast_drivers.printers.language import Language
from holdfast_drivers.printers.paper import Item, Request
from holdfast_drivers.printers.printhead import PrintHead


class Interpreter:
    """One printer `dots` wide. Of `total` bytes, `unknown` belonged to no command."""

    def __init__(
        self, dots: int = 576, pages: Mapping[int, str] | None = None, *, language: Language | None = None
    ) -> None:
        """`pages` are the model's own code pages; None: the usual ones of `language`. None there: ESC/POS."""
        self.dots = dots
        self.total = 0
        self.unknown = 0
        self._language = self._native = language or ESCPOS
        self._tokens = Tokeniser(self._language.grammar)
        self._head = PrintHead(dots, pages or self._language.pages)

    def feed(self, data: bytes) -> list[Item]:
        """What `data` completes, in order of printing."""
        self.total += len(data)
        for token in self._tokens.feed(data):
            match token:
                case Printable():
                    self._head.text(token.data)
                case Command() if token.prefix == COMMAND_SET:
                    self._take_up(token.args)
                case Command():
                    self._obey(token)
                case Unknown():
                    self.unknown += len(token.data)
        return self._head.take()

    @property
    def pending(self) -> int:
        """Bytes of a command whose end has not arrived."""
        return self._tokens.pending

    def _obey(self, command: Command) -> None:
        if command.prefix in self._language.requests:
            self._head.flush()
            self._head.emit(Request(command.prefix, command.args))
        elif command.prefix in self._language.actions:
            self._language.actions[command.prefix](self._head, command.args)

    def _take_up(self, args: bytes) -> None:
        """Another command set, if that is what `GS F9h` asks for; it holds for whatever follows."""
        if args[0] in SELECT:
            self._language = self._native if args[1] & 1 else BEMATECH
            self._tokens.grammar = self._language.grammar
            self._head.pages = self._language.pages
