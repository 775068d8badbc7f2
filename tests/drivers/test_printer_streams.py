"""Real streams of other people's software on the virtual printer: understood, drawn, and read back by others.

Where the text is known, it is on paper; where there is a barcode, a decoder that is not ours reads it off the picture.
"""

from __future__ import annotations

import hashlib
from itertools import zip_longest
from typing import Any

import pytest

from holdfast_drivers.barcodes.gtin import expand_upc_e, with_check_digit
from holdfast_drivers.printers.paper import Receipt, Symbol
from holdfast_drivers.printers.render import symbol_text, to_image, to_png
from printer_streams import DATA, ESCPOS_STREAMS, STAR_STREAMS, Printed, Stream, printed

COMMANDS = [stream for stream in ESCPOS_STREAMS if stream.kind == "commands"]
RECEIPTLINE = [s for s in (*ESCPOS_STREAMS, *STAR_STREAMS) if s.path.parent.name in ("receiptline", "star")]
ESCPOS_PHP = [s for s in ESCPOS_STREAMS if s.path.parent.name == "escpos-php"]
SAMPLE = [
    *("receiptline/receipt2__generic48", "escpos-php/receipt-with-logo", "escpos-php/barcode", "escpos-php/qr-code"),
    *("cross-escpos-emulator/sample", "star/guest__starline48", "escpost/example-jobs__cafe-order-voucher"),
]
MARGIN, HEAD = 32, 96
"""Blank paper left of and above a picture of a receipt."""


def named(*streams: Stream) -> Any:
    return pytest.mark.parametrize("stream", streams, ids=lambda stream: stream.name)


def test_the_streams_are_the_ones_in_the_manifest() -> None:
    assert len(ESCPOS_STREAMS) == 90
    assert len(STAR_STREAMS) == 42
    for stream in (*ESCPOS_STREAMS, *STAR_STREAMS):
        assert hashlib.sha256(stream.data).hexdigest() == stream.sha256, stream.name


def test_nearly_every_byte_is_understood() -> None:
    def share(streams: list[Stream]) -> float:
        return sum(printed(stream).unknown for stream in streams) / sum(len(stream.data) for stream in streams)

    assert share(COMMANDS) <= 0.005
    assert share(STAR_STREAMS) <= 0.005
    with_bare_dots = share(ESCPOS_STREAMS)
    print(f"unknown: {share(COMMANDS):.2%}; {with_bare_dots:.2%} when bare dots are taken for commands")
    assert with_bare_dots < 0.01


@named(*COMMANDS, *STAR_STREAMS)
def test_a_stream_ends_with_its_last_command(stream: Stream) -> None:
    assert printed(stream).pending == 0


@named(*RECEIPTLINE)
def test_receiptlines_text_is_on_paper(stream: Stream) -> None:
    """Column by column as receiptline's own text output has it; centred lines may be half a character off."""
    name, _, form = stream.path.stem.partition("__")
    expected = (DATA / "escpos" / "expected" / "receiptline" / f"{name}__{form[-2:]}.txt").read_text()
    wanted = [line.rstrip() for line in expected.splitlines() if line.strip()]
    for line, found in zip_longest(wanted, printed(stream).lines(), fillvalue=""):
        assert found.strip() == line.strip()
        assert abs(indent(found) - indent(line)) <= 1, line


def indent(line: str) -> int:
    return len(line) - len(line.lstrip())


@named(*ESCPOS_PHP)
def test_escpos_phps_text_is_on_paper(stream: Stream) -> None:
    """Character by character as the example's source has it, in the order of printing."""
    expected = (DATA / "escpos" / "expected" / "escpos-php" / f"{stream.path.stem}.txt").read_text()
    assert "".join("".join(printed(stream).lines()).split()) == "".join(expected.split())


@named(*(stream for stream in (*ESCPOS_STREAMS, *STAR_STREAMS) if stream.name in SAMPLE))
def test_a_sample_of_them_is_drawn(stream: Stream) -> None:
    for receipt in printed(stream).receipts:
        assert to_png(receipt).startswith(b"\x89PNG")


@pytest.mark.proof
@named(*ESCPOS_STREAMS, *STAR_STREAMS)
def test_every_one_of_them_is_drawn(stream: Stream) -> None:
    for receipt in printed(stream).receipts:
        assert to_png(receipt).startswith(b"\x89PNG")


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


def test_every_code_in_the_pictures_is_read_back_by_another_decoder() -> None:
    zxing = pytest.importorskip("zxingcpp", reason="zxing-cpp is not installed: codes are not read back")
    read: dict[str, int] = {}
    for stream in (*COMMANDS, *STAR_STREAMS):
        for receipt in printed(stream).receipts:
            drawn = [item for item in receipt.items if isinstance(item, Symbol) and readable(item)]
            image = to_image(receipt) if drawn else None
            for symbol in drawn:
                assert decoded(zxing, image, symbol) == meaning(symbol), (stream.name, symbol)
                read[symbol.kind] = read.get(symbol.kind, 0) + 1
    print(f"read back: {sum(read.values())}, {read}")
    assert set(read) == set(FORMATS), "every kind is there"
    assert read["qr"] >= 20
    assert read["ean13"] >= 8


def readable(symbol: Symbol) -> bool:
    """What a printer prints and a scanner reads: bars of some height, of numbers that the symbol can hold."""
    if symbol.kind not in FORMATS or (symbol.kind != "qr" and symbol.bar_height < 16):
        return False
    return symbol.kind != "upce" or len(symbol.data) < 11  # this UPC-A has no short form, a printer leaves it out


def decoded(zxing: Any, image: Any, symbol: Symbol) -> str:
    top = HEAD + symbol.y
    strip = image.crop((0, top - 4, image.width, top + symbol.height + 4))
    strip = strip.resize((strip.width * 3, strip.height * 3), 0)
    found = zxing.read_barcodes(strip, formats=getattr(zxing.BarcodeFormat, FORMATS[symbol.kind]))
    return found[0].bytes.decode() if found else "nothing"


def meaning(symbol: Symbol) -> str:
    """What a scanner must say; numbers as EAN-13."""
    text = symbol_text(symbol)
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


def test_a_picture_with_one_wrong_row_is_not_read_as_right() -> None:
    """The decoder looks: a picture whose bars are gone says nothing."""
    zxing = pytest.importorskip("zxingcpp", reason="zxing-cpp is not installed: codes are not read back")
    symbol = Symbol(0, 80, "ean13", b"400638133393", 2, bar_height=80)
    image = to_image(Receipt(576, (symbol,)))
    assert decoded(zxing, image, symbol) == "4006381333931"
    image.paste(250, (0, HEAD, image.width, HEAD + 80))
    assert decoded(zxing, image, symbol) == "nothing"


def test_a_stream_cut_anywhere_is_still_a_receipt() -> None:
    """Half a job, as a pulled plug leaves it."""
    stream = next(s for s in COMMANDS if s.name == "escpos-php/receipt-with-logo")
    whole = printed(stream).lines()
    for end in range(0, len(stream.data), 997):
        cut = Stream(stream.path, stream.sha256, stream.kind, stream.dots, None)
        lines = Printed.lines(printed_bytes(cut, stream.data[:end]))
        assert lines == whole[: len(lines)]


def printed_bytes(stream: Stream, data: bytes) -> Printed:
    from holdfast_drivers.printers.interpreter import Interpreter

    interpreter = Interpreter(stream.dots)
    return Printed([Receipt(stream.dots, tuple(interpreter.feed(data)))], interpreter.unknown, interpreter.pending)
