"""What became of other people's print streams on the virtual printer, as a table and as pictures.

python tests/stream_report.py --write          docs/print-streams.md anew
python tests/stream_report.py --draw FOLDER    every strip of paper as PNG, and a page that shows them
"""

from __future__ import annotations

import argparse
import html
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast_drivers.barcodes.gtin import expand_upc_e, with_check_digit
from holdfast_drivers.printers.paper import Symbol
from holdfast_drivers.printers.render import symbol_text, to_image, to_png
from printer_streams import DATA, ESCPOS_STREAMS, STAR_STREAMS, Printed, Stream, printed

DOCUMENT = Path(__file__).parents[1] / "docs" / "print-streams.md"
HEAD = 96
"""Blank paper above the first line of a picture."""
FORMATS = {
    "qr": "QRCode",
    "ean13": "EAN13",
    "ean8": "EAN8",
    "upca": "UPCA",
    "upce": "UPCE",
    "code128": "Code128",
    "code39": "Code39",
    "code93": "Code93",
    "itf": "ITF",
    "codabar": "Codabar",
}
"""Symbols that are drawn, and zxing-cpp's names for them."""
LOWEST = 16
"""Dots of bar height below which no scanner is expected to read."""
TEXT = """# Other people's print streams on the virtual printer

{escpos} ESC/POS streams of six projects, two of them captured from a restaurant's till, and {star} of receiptline's for
Star printers. [What each is](../tests/drivers/data/escpos/README.md), where it is from, its licence.
`tests/drivers/test_printer_streams.py` holds this page true; it is made by

    python tests/stream_report.py --write           this page
    python tests/stream_report.py --draw FOLDER     every strip of paper as PNG, and a page to look at them
    holdfast-sim printer --render FILE --out FOLDER a file of your own

{counts}
zxing-cpp read back {symbols}, each saying what the stream said.

- **text is that of**: receiptline's own text output of the same receipt, column by column; the strings in the source
  of escpos-php's example, character by character. Where nothing stands, nobody's word but ours is known.
- **not read**: what no scanner can read, and why. DataBar and two-dimensional symbols other than QR are a box of noise
  on our paper; QR codes of model 1 and Micro QR are drawn as model 2.
- Characters that the font lacks (katakana, Thai, Hebrew) are right in the text and hollow boxes in the picture.

## ESC/POS

{escpos_table}

¹ Dots without a command, as a dithering filter makes them, drawn here in the command that the same project's
`mp-4200_th_draw_buffer` prints the same dots with.

## Star

{star_table}
"""
COLUMNS = ("stream", "bytes", "unknown", "on paper", "text is that of", "symbols read back", "not read")


@dataclass(frozen=True)
class Read:
    """The symbols of a stream, as another decoder sees the pictures."""

    right: Counter[str]
    wrong: list[tuple[Symbol, str]]
    left_out: Counter[str]
    """Why nobody could read them."""


def expected_text(stream: Stream) -> Path | None:
    """Where the text is known that the stream prints."""
    name, _, form = stream.path.stem.partition("__")
    folder = DATA / "escpos" / "expected"
    if stream.source == "receiptline/receiptline":
        return folder / "receiptline" / f"{name}__{form[-2:]}.txt"
    file = folder / "escpos-php" / f"{stream.path.stem}.txt"
    return file if stream.source == "mike42/escpos-php" else None


def read_back(zxing: Any, printed: Printed) -> Read:
    read = Read(Counter(), [], Counter())
    for receipt in printed.receipts:
        drawn = [item for item in receipt.items if isinstance(item, Symbol)]
        image = to_image(receipt) if drawn else None
        for symbol in drawn:
            if reason := unreadable(symbol):
                read.left_out[reason] += 1
            elif (found := decoded(zxing, image, symbol)) == meaning(symbol):
                read.right[symbol.kind] += 1
            else:
                read.wrong.append((symbol, found))
    return read


def unreadable(symbol: Symbol) -> str:
    """Why no scanner can be expected to read it; empty: it can."""
    if symbol.kind not in FORMATS:
        return f"{symbol.kind}: not drawn"
    if symbol.kind == "upce" and len(symbol.data) >= 11:
        return "upce: its UPC-A has no short form"
    return "bars too low" if symbol.kind != "qr" and symbol.bar_height < LOWEST else ""


def decoded(zxing: Any, image: Any, symbol: Symbol) -> str:
    top = HEAD + symbol.y
    strip = image.crop((0, top - 4, image.width, top + symbol.height + 4))
    strip = strip.resize((strip.width * 3, strip.height * 3), 0)
    found = zxing.read_barcodes(strip, formats=getattr(zxing.BarcodeFormat, FORMATS[symbol.kind]))
    return found[0].bytes.decode() if found else "nothing"


def meaning(symbol: Symbol) -> str:
    """What a scanner must say of the bytes that the printer was sent; numbers as EAN-13."""
    text = symbol_text(symbol) if symbol.kind == "code128" else symbol.data.decode()
    match symbol.kind:
        case "ean13" | "ean8":
            return with_check_digit(text[: 12 if symbol.kind == "ean13" else 7])
        case "upca":
            return "0" + with_check_digit(text[:11])
        case "upce":
            return "0" + with_check_digit(expand_upc_e(text.zfill(7)[:7] + "0")[:11])
        case "code39":
            return text.strip("*")
        case _:
            return text


def document(zxing: Any) -> str:
    """docs/print-streams.md."""
    streams = [*ESCPOS_STREAMS, *STAR_STREAMS]
    done = {stream.name: printed(stream) for stream in streams}
    reads = {stream.name: read_back(zxing, done[stream.name]) for stream in streams}
    symbols: Counter[str] = sum((read.right for read in reads.values()), Counter())
    return TEXT.format(
        escpos=len(ESCPOS_STREAMS),
        star=len(STAR_STREAMS),
        counts=counts(ESCPOS_STREAMS, done),
        symbols=f"{sum(symbols.values())} symbols ({listed(symbols)})",
        escpos_table=table(ESCPOS_STREAMS, done, reads),
        star_table=table(STAR_STREAMS, done, reads),
    )


def counts(streams: Iterable[Stream], done: dict[str, Printed]) -> str:
    streams = list(streams)
    size = sum(len(stream.job) for stream in streams)
    unknown = sum(done[stream.name].unknown for stream in streams)
    bare = sum(printed(stream, stream.data).unknown for stream in streams)
    sent = sum(len(stream.data) for stream in streams)
    return (
        f"Of {size:,} ESC/POS bytes, {unknown} belonged to no command ({unknown / size:.2%}); {bare} of {sent:,} "
        f"({bare / sent:.2%}) if the dots¹\nof one file, which are no commands, are taken for some."
    )


def table(streams: Iterable[Stream], done: dict[str, Printed], reads: dict[str, Read]) -> str:
    rows = ["| " + " | ".join(COLUMNS) + " |", "|---" * len(COLUMNS) + "|"]
    for stream in streams:
        paper, read = done[stream.name], reads[stream.name]
        expected = expected_text(stream)
        cells = (
            stream.name + ("¹" if stream.kind == "bitmap" else ""),
            f"{len(stream.data):,}",
            str(paper.unknown),
            paper.summary(),
            "" if expected is None else expected.parent.name,
            listed(read.right) + "".join(f"; {symbol.kind} WRONG: {found}" for symbol, found in read.wrong),
            listed(read.left_out),
        )
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)


def listed(counted: Counter[str]) -> str:
    return ", ".join(f"{number} {what}" for what, number in sorted(counted.items()))


def draw(folder: Path) -> None:
    """Every strip of every stream, and index.html."""
    folder.mkdir(parents=True, exist_ok=True)
    page = ["<!doctype html><meta charset=utf-8><title>Print streams</title><body style='background:#888'>"]
    for stream in (*ESCPOS_STREAMS, *STAR_STREAMS):
        page.append(f"<h3>{html.escape(stream.name)}</h3>")
        for number, receipt in enumerate(printed(stream).strips()):
            file = folder / f"{stream.name.replace('/', '__')}-{number}.png"
            file.write_bytes(to_png(receipt))
            page.append(f"<img src='{html.escape(file.name)}' style='vertical-align:top;margin:4px'>")
    (folder / "index.html").write_text("\n".join(page), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--draw", type=Path, metavar="FOLDER")
    options = parser.parse_args()
    if options.draw:
        draw(options.draw)
    if options.write:
        import zxingcpp

        DOCUMENT.write_text(document(zxingcpp), encoding="utf-8")


if __name__ == "__main__":
    main()
