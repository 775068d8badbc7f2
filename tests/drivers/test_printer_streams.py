"""Real streams of other people's software on the virtual printer: understood, drawn, and read back by others.

Where the text is known, it is on paper; where there is a barcode, a decoder that is not ours reads it off the picture.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from itertools import zip_longest
from typing import Any

import pytest

from holdfast_drivers.printers.paper import Item, Line, Picture, Receipt, Symbol
from holdfast_drivers.printers.render import to_image
from printer_streams import ESCPOS_STREAMS, STAR_STREAMS, Stream, printed
from stream_report import DOCUMENT, FORMATS, HEAD, decoded, document, expected_text, read_back

RECEIPTLINE = [s for s in (*ESCPOS_STREAMS, *STAR_STREAMS) if s.path.parent.name in ("receiptline", "star")]
ESCPOS_PHP = [s for s in ESCPOS_STREAMS if s.path.parent.name == "escpos-php"]
MARGIN = 32
"""Blank paper on either side of a picture of a receipt."""
INK = 50
"""Anything darker is ink."""


def named(*streams: Stream) -> Any:
    return pytest.mark.parametrize("stream", streams, ids=lambda stream: stream.name)


def test_the_streams_are_the_ones_in_the_manifest() -> None:
    assert len(ESCPOS_STREAMS) == 90
    assert len(STAR_STREAMS) == 42
    for stream in (*ESCPOS_STREAMS, *STAR_STREAMS):
        assert hashlib.sha256(stream.data).hexdigest() == stream.sha256, stream.name


@pytest.mark.parametrize("streams", [ESCPOS_STREAMS, STAR_STREAMS])
def test_nearly_every_byte_is_understood(streams: list[Stream]) -> None:
    unknown = sum(printed(stream).unknown for stream in streams)
    assert unknown <= 0.005 * sum(len(stream.data) for stream in streams)


@named(*ESCPOS_STREAMS, *STAR_STREAMS)
def test_a_stream_ends_with_its_last_command(stream: Stream) -> None:
    assert printed(stream).pending == 0


@named(*RECEIPTLINE)
def test_receiptlines_text_is_on_paper(stream: Stream) -> None:
    """Column by column as receiptline's own text output has it; centred lines may be half a character off."""
    wanted = [line.rstrip() for line in known(stream).splitlines() if line.strip()]
    for line, found in zip_longest(wanted, printed(stream).lines(), fillvalue=""):
        assert found.strip() == line.strip()
        assert abs(indent(found) - indent(line)) <= 1, line


def indent(line: str) -> int:
    return len(line) - len(line.lstrip())


@named(*ESCPOS_PHP)
def test_escpos_phps_text_is_on_paper(stream: Stream) -> None:
    """Character by character as the example's source has it, in the order of printing."""
    assert "".join("".join(printed(stream).lines()).split()) == "".join(known(stream).split())


def known(stream: Stream) -> str:
    file = expected_text(stream)
    assert file is not None
    return file.read_text(encoding="utf-8")


@named(*ESCPOS_STREAMS, *STAR_STREAMS)
def test_every_one_of_them_is_drawn(stream: Stream) -> None:
    for receipt in printed(stream).strips():
        picture = to_image(receipt)
        assert picture.width == receipt.dots + 2 * MARGIN
        inked = min(picture.crop((0, HEAD, picture.width, HEAD + receipt.height + 1)).tobytes()) < INK
        assert inked is any(isinstance(item, Symbol) or visible(item) for item in receipt.items)


def visible(item: Item) -> bool:
    pieces = item.pieces if isinstance(item, Line) else ()
    return any(
        any(piece.rows) if isinstance(piece, Picture) else piece.style.invert or piece.text.strip() for piece in pieces
    )


def test_bare_dots_are_the_picture_that_their_project_prints_with_them() -> None:
    bare, sent = (
        [p for line in printed(stream).items() if isinstance(line, Line) for p in line.pieces if isinstance(p, Picture)]
        for stream in ESCPOS_STREAMS
        if stream.path.stem in ("floyd_steinberg_filter", "mp-4200_th_draw_buffer")
    )
    assert len(bare) == 9
    assert [piece.rows for piece in bare] == [piece.rows for piece in sent]


@pytest.mark.parametrize(
    ("name", "lines", "pulses"),
    [
        ("mp-4200_th_bold_text_font_changed", ["Bold text", "Bold text"], 0),
        ("mp-4200_th_utf8_text", ["Açênts"], 0),
        ("mp-4200_th_drawer", [], 1),
        ("mp-4200_th_drawer_other_font", [], 1),
        ("i7_drawer", [], 1),
    ],
)
def test_a_bematech_printer_takes_up_the_command_set_it_is_told_to(name: str, lines: list[str], pulses: int) -> None:
    paper = printed(next(stream for stream in ESCPOS_STREAMS if stream.path.stem == name))
    assert [line.strip() for line in paper.lines()] == lines
    assert paper.pulses == pulses


def test_every_code_in_the_pictures_is_read_back_by_another_decoder() -> None:
    zxing = pytest.importorskip("zxingcpp", reason="zxing-cpp is not installed: codes are not read back")
    read: Counter[str] = Counter()
    for stream in (*ESCPOS_STREAMS, *STAR_STREAMS):
        found = read_back(zxing, printed(stream))
        assert found.wrong == [], stream.name
        assert not {"qr", "ean13", "ean8"} & {why.partition(":")[0] for why in found.left_out}, "all of these are read"
        read += found.right
    print(f"read back: {sum(read.values())}, {dict(read)}")
    assert set(read) == set(FORMATS), "every kind is there"
    assert read["qr"] >= 20
    assert read["ean13"] >= 8


def test_the_page_about_them_is_true() -> None:
    zxing = pytest.importorskip("zxingcpp", reason="zxing-cpp is not installed: codes are not read back")
    assert DOCUMENT.read_text(encoding="utf-8") == document(zxing), "run: python tests/stream_report.py --write"


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
    stream = next(s for s in ESCPOS_STREAMS if s.name == "escpos-php/receipt-with-logo")
    whole = printed(stream).lines()
    for end in range(0, len(stream.data), 997):
        lines = printed(stream, stream.data[:end]).lines()
        assert lines == whole[: len(lines)]
