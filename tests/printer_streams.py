"""Other people's print streams, as the virtual printer puts them on paper."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from holdfast_drivers.printers.interpreter import Interpreter
from holdfast_drivers.printers.language import Language
from holdfast_drivers.printers.paper import Cut, Item, Line, Picture, Pulse, Receipt, Run, Symbol, torn
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
    source: str
    """Where it was taken from: owner and repository."""
    dots: int
    language: Language | None

    @property
    def name(self) -> str:
        return f"{self.path.parent.name}/{self.path.stem}"

    @property
    def data(self) -> bytes:
        return self.path.read_bytes()

    @property
    def job(self) -> bytes:
        """What a printer would be sent: bare dots in the command that their project prints them with."""
        return self.data if self.kind == "commands" else bit_image(self.data)


@dataclass(frozen=True)
class Printed:
    receipts: list[Receipt]
    unknown: int
    pending: int
    cuts: int = 0
    pulses: int = 0
    """Of the cash drawer."""

    def strips(self) -> list[Receipt]:
        """Something to draw: blank paper where nothing was printed."""
        return self.receipts or [Receipt(48 * CELL, ())]

    def summary(self) -> str:
        """What a person sees of it, barcodes aside."""
        pieces = [piece for item in self.items() if isinstance(item, Line) for piece in item.pieces]
        counts = {
            "line": len(self.lines()),
            "picture": sum(isinstance(piece, Picture) for piece in pieces),
            "cut": self.cuts,
            "drawer pulse": self.pulses,
        }
        return ", ".join(f"{count} {what}{'s' if count > 1 else ''}" for what, count in counts.items() if count)

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
        Stream(
            path=DATA / folder / row["file"],
            sha256=row["sha256"],
            kind=row.get("kind", "commands"),
            source=row["source"],
            dots=dots(row["file"]),
            language=language,
        )
        for row in csv.DictReader(io.StringIO(text))
    ]


def dots(file: str) -> int:
    """Of the paper the stream was made for."""
    if "escpos42" in file:
        return 42 * CELL
    return 384 if "nt-5890k" in file or "receiptful-html2escpos" in file else 48 * CELL


ESCPOS_STREAMS = manifest("escpos")
STAR_STREAMS = manifest("star", STAR)


def printed(stream: Stream, data: bytes | None = None) -> Printed:
    """Everything on paper, torn off at each cut and at the end; of `data` in the stream's place if there is any."""
    interpreter = Interpreter(stream.dots, language=stream.language)
    items = interpreter.feed(stream.job if data is None else data)
    cuts, pulses = (sum(isinstance(item, kind) for item in items) for kind in (Cut, Pulse))
    return Printed(torn(items, stream.dots), interpreter.unknown, interpreter.pending, cuts, pulses)


def bit_image(dots: bytes) -> bytes:
    """`ESC * 33` stripes of 24 rows, 180 columns of three bytes, as in `mp-4200_th_draw_buffer`."""
    width, size = 180, 180 * 3
    stripes = (dots[at : at + size] for at in range(0, len(dots), size))
    return b"\x1b3\x10" + b"".join(b"\x1b*!" + width.to_bytes(2, "little") + stripe + b"\n" for stripe in stripes)


def grid(line: Line) -> str:
    """A wide character takes its first cell; the others stay blank."""
    cells: dict[int, str] = {}
    for piece in line.pieces:
        if isinstance(piece, Run):
            for index, char in enumerate(piece.text):
                cells[(piece.x + index * piece.step + CELL // 2) // CELL] = char
    return "".join(cells.get(column, " ") for column in range(max(cells, default=-1) + 1)).rstrip().translate(BOX)
