"""Other people's print streams, as the virtual printer puts them on paper."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from holdfast_drivers.printers.interpreter import Interpreter
from holdfast_drivers.printers.language import Language
from holdfast_drivers.printers.paper import Cut, Item, Line, Receipt, Run, Symbol
from holdfast_drivers.printers.star_interpreter import STAR

DATA = Path(__file__).parent / "drivers" / "data"
CELL = 12
BOX = str.maketrans("─│╭╮╰╯├┤┬┴┼┌┐└┘", "-|+++++++++++++")


@dataclass(frozen=True)
class Stream:
    path: Path
    sha256: str
    kind: str
    """`commands`, or `bitmap`: dots that no printer is sent bare."""
    dots: int
    language: Language | None

    @property
    def name(self) -> str:
        return f"{self.path.parent.name}/{self.path.stem}"

    @property
    def data(self) -> bytes:
        return self.path.read_bytes()


@dataclass(frozen=True)
class Printed:
    receipts: list[Receipt]
    unknown: int
    pending: int

    def items(self) -> Iterator[Item]:
        for receipt in self.receipts:
            yield from receipt.items

    def lines(self) -> list[str]:
        """Text on a grid of font A's cells, blank lines and pictures left out; rules in ASCII."""
        lines = (grid(item) for item in self.items() if isinstance(item, Line))
        return [line for line in lines if line]

    def symbols(self) -> list[Symbol]:
        return [item for item in self.items() if isinstance(item, Symbol)]


def manifest(folder: str, language: Language | None = None) -> list[Stream]:
    text = (DATA / folder / "MANIFEST.csv").read_text()
    return [
        Stream(DATA / folder / row["file"], row["sha256"], row.get("kind", "commands"), dots(row["file"]), language)
        for row in csv.DictReader(io.StringIO(text))
    ]


def dots(file: str) -> int:
    """Of the paper the stream was made for."""
    if "escpos42" in file:
        return 42 * CELL
    return 384 if "nt-5890k" in file or "receiptful-html2escpos" in file else 48 * CELL


ESCPOS_STREAMS = manifest("escpos")
STAR_STREAMS = manifest("star", STAR)


def printed(stream: Stream) -> Printed:
    """Everything on paper, torn off at each cut and at the end."""
    interpreter = Interpreter(stream.dots, language=stream.language)
    strip: list[Item] = []
    receipts = []
    for item in interpreter.feed(stream.data):
        if isinstance(item, Cut):
            receipts.append(Receipt(stream.dots, tuple(strip)))
            strip = []
        else:
            strip.append(item)
    receipts += [Receipt(stream.dots, tuple(strip))] if strip else []
    return Printed(receipts, interpreter.unknown, interpreter.pending)


def grid(line: Line) -> str:
    """A wide character takes its first cell; the others stay blank."""
    cells: dict[int, str] = {}
    for piece in line.pieces:
        if isinstance(piece, Run):
            for index, char in enumerate(piece.text):
                cells[(piece.x + index * piece.step + CELL // 2) // CELL] = char
    return "".join(cells.get(column, " ") for column in range(max(cells, default=-1) + 1)).rstrip().translate(BOX)
