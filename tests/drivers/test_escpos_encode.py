"""Documents as bytes, and those bytes as paper again."""

from __future__ import annotations

import logging
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast_drivers.printers import layout
from holdfast_drivers.printers.encode import encode
from holdfast_drivers.printers.interpreter import Interpreter
from holdfast_drivers.printers.paper import Cut, Line, Picture, Pulse, Receipt, Run, Symbol
from holdfast_drivers.printers.profiles import load_profile, profile_names
from holdfast_drivers.printers.render import to_text
from holdfast_drivers.values import Align, Barcode, Block, Columns, Document, Feed, Rule, Text
from holdfast_drivers.values import Symbol as Code

WIDE = load_profile("TM-T20II")
NARROW = load_profile("ZJ-5870")
HEAD = b"\x1b@\x1bR\x00\x1c."
CUT = b"\x1dVB\x00"
NORMAL = b"\x1b!\x00" * 3
CENTRED = NORMAL + b"\x1bE\x00\x1ba\x01"
QR_ABC = b"\x1d(k\x06\x001P0abc\x1d(k\x03\x001Q0"


def one(*blocks: Block) -> bytes:
    """The body of a document on wide paper, without preamble and cut."""
    data = encode(Document(blocks), WIDE)
    assert data.startswith(HEAD)
    assert data.endswith(CUT)
    return data[len(HEAD) : -len(CUT)]


def printed(data: bytes, dots: int = 576, pages: dict[int, str] | None = None) -> Receipt:
    printer = Interpreter(dots, pages) if pages else Interpreter(dots)
    items = printer.feed(data)
    assert (printer.unknown, printer.pending) == (0, 0)
    return Receipt(dots, tuple(items))


def lines(*blocks: Block) -> list[str]:
    return to_text(printed(encode(Document(blocks), WIDE))).splitlines()


@pytest.mark.parametrize(
    ("block", "data"),
    [
        (Text("Hi"), b"\x1bt\x00Hi\n"),
        (Text("Hi", bold=True), NORMAL + b"\x1bE\x01\x1ba\x00\x1bt\x00Hi\n"),
        (Text("Hi", Align.CENTRE, big=True), b"\x1b!\x00\x1b!\x00\x1b!0\x1bE\x00\x1ba\x01\x1bt\x00Hi\n"),
        (Text("café"), b"\x1bt\x00caf\x82\n"),
        (Text("4 €"), b"\x1bt\x134 \xd5\n"),
        (Text("λάδι"), b"\x1bt\x0e\xa2\xe1\x9b\xa0\n"),
        (Columns("Tea", "2,00"), b"\x1bt\x00Tea" + b" " * 41 + b"2,00\n"),
        (Rule(), b"\x1bt\x00" + b"\xc4" * 48 + b"\n"),
        (Feed(3), b"\x1bd\x03"),
        (
            Barcode(Code.EAN13, "4006381333931"),
            CENTRED + b"\x1bJ\x14\x1dhP\x1dw\x03\x1df\x00\x1dH\x02\x1dkC\x0d4006381333931",
        ),
        (
            Barcode(Code.CODE128, "AB{1234", caption=False),
            CENTRED + b"\x1bJ\x14\x1dhP\x1dw\x03\x1df\x00\x1dH\x00\x1dkI\x0a{BAB{{{C\x0c\x22",
        ),
        (
            Barcode(Code.QR, "abc", caption=False),
            CENTRED + b"\x1bJ\x14\x1d(k\x04\x001A2\x00\x1d(k\x03\x001C\x06\x1d(k\x03\x001E1" + QR_ABC,
        ),
    ],
)
def test_golden_bytes(block: Block, data: bytes) -> None:
    assert one(block) == data


def test_a_style_is_sent_when_it_changes_only() -> None:
    data = one(Text("a", bold=True), Text("b", bold=True), Text("c"))
    assert data.count(b"\x1bE\x01") == data.count(b"\x1bE\x00") == 1


def test_the_same_document_gives_the_same_bytes() -> None:
    document = Document((Text("Zażółć €"), Barcode(Code.QR, "x"), Text("中"), Columns("Ж", "1")))
    assert len({encode(document, WIDE) for _ in range(5)}) == 1


def test_without_a_cut_nothing_is_cut_and_without_a_cutter_it_is_fed_to_the_tear_bar() -> None:
    assert encode(Document((Text("a"),), cut=False), WIDE).endswith(b"a\n")
    assert encode(Document((Text("a"),)), NARROW).endswith(b"a\n\x1bd\x04")


def test_what_was_written_is_on_paper() -> None:
    text = lines(
        Text("Café Zoë", Align.CENTRE),
        Rule(),
        Columns("Crème brûlée", "4,50 €"),
        Text("Ελληνικό λάδι: 12,80 €"),
        Text("Zażółć gęślą jaźń", Align.RIGHT),
        Text("Съешь ещё булочек ₽"),
        Barcode(Code.CODE128, "HFRMRS1S000123K"),
    )
    assert text == [
        " " * 20 + "Café Zoë",
        "─" * 48,
        "Crème brûlée" + " " * 30 + "4,50 €",
        "Ελληνικό λάδι: 12,80 €",
        " " * 31 + "Zażółć gęślą jaźń",
        "[picture 576x30]",
        "",
        "[code128] HFRMRS1S000123K",
    ]


def test_a_line_no_page_holds_becomes_dots_and_its_neighbours_stay_text() -> None:
    receipt = printed(encode(Document((Text("before\n漢字 and ₿ under one roof\nafter"),)), WIDE))
    before, picture, after = (item.pieces[0] for item in receipt.items if isinstance(item, Line))
    assert isinstance(before, Run)
    assert isinstance(after, Run)
    assert isinstance(picture, Picture)
    ink = sum(byte.bit_count() for byte in picture.rows)
    assert 300 < ink < 6000, "letters, not a bar and not blank"
    assert b"?" not in encode(Document((Text("漢字"),)), WIDE)


@pytest.mark.parametrize("style", [{"align": Align.RIGHT}, {"align": Align.CENTRE}, {"big": True}, {"bold": True}])
def test_dots_keep_the_style(style: dict[str, object]) -> None:
    def picture(text: Text) -> Picture:
        (line,) = (item for item in printed(encode(Document((text,)), WIDE)).items if isinstance(item, Line))
        (piece,) = line.pieces
        assert isinstance(piece, Picture)
        return piece

    plain, styled = picture(Text("₽ rouble")), picture(Text("₽ rouble", **style))  # type: ignore[arg-type]  # by key
    assert styled.rows != plain.rows
    assert styled.height == (60 if style.get("big") else 30)


def test_a_command_hidden_in_a_text_reaches_no_drawer() -> None:
    nasty = "gift\x1bp\x00\x32\xfa\x1d(H\x10\x14\x01\x00\x01\x9b\x85"
    blocks = (Text(nasty), Columns(nasty, nasty), Barcode(Code.QR, nasty, caption=True))
    receipt = printed(encode(Document(blocks), WIDE))
    assert not [item for item in receipt.items if isinstance(item, Pulse)]
    text = encode(Document(blocks[:2]), WIDE)[len(HEAD) :]
    assert b"\x1bp" not in text
    assert b"\x10" not in text


@pytest.mark.parametrize(
    "name", [name for name in profile_names() if load_profile(name).dots >= load_profile(name).columns * 12]
)
def test_every_model_gets_what_it_can_print(name: str) -> None:
    profile = load_profile(name)
    pages = {number: page.replace("ISO_", "iso") for page, number in profile.pages}
    blocks = (
        Text("Grüße", Align.CENTRE),
        Columns("Tee", "2,00"),
        Text("中"),
        Barcode(Code.EAN13, "4006381333931", caption=False),
    )
    receipt = printed(encode(Document(blocks), profile), profile.dots, pages)
    text = to_text(receipt)
    assert "Grüße" in text
    assert "Tee" + " " * (profile.columns - 7) + "2,00" in text
    assert ("[ean13]" in text) is profile.barcodes
    assert any(isinstance(item, Cut) for item in receipt.items) is profile.cutter
    for item in receipt.items:
        for piece in item.pieces if isinstance(item, Line) else ():
            assert piece.x + piece.size[0] <= profile.dots


def test_a_symbol_the_model_cannot_draw_is_sent_as_dots() -> None:
    blocks = (Barcode(Code.QR, "abc"), Barcode(Code.CODE128, "AB12"), Barcode(Code.EAN13, "4006381333931"))
    receipt = printed(encode(Document(blocks), NARROW), 384)
    pieces = [piece for item in receipt.items if isinstance(item, Line) for piece in item.pieces]
    assert [type(piece) for piece in pieces] == [Picture, Run] * 3
    assert not [item for item in receipt.items if isinstance(item, Symbol)]


def test_a_linear_code_wider_than_the_paper_becomes_a_qr_code() -> None:
    (symbol,) = (
        item
        for item in printed(encode(Document((Barcode(Code.CODE128, "A" * 30),)), replace(WIDE, dots=384)), 384).items
        if isinstance(item, Symbol)
    )
    assert (symbol.kind, symbol.data) == ("qr", b"A" * 30)


@pytest.mark.parametrize(
    "block",
    [
        Barcode(Code.EAN13, "4006381333932"),
        Barcode(Code.EAN13, "12"),
        Barcode(Code.EAN13, "４００６３８１３３３９３１"),  # noqa: RUF001 - full-width digits are the point
        Barcode(Code.CODE128, ""),
        Barcode(Code.CODE128, "é"),
        Barcode(Code.CODE128, "\n"),
        Barcode(Code.QR, "x" * 2000),
    ],
)
def test_data_that_its_symbol_cannot_carry_is_refused(block: Barcode) -> None:
    with pytest.raises(ValueError, match=r"."):
        encode(Document((block,)), WIDE)


def test_an_unknown_model_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="no printer profile 'TM-9'"):
        load_profile("TM-9")


def test_columns_that_do_not_fit_side_by_side_stand_below_each_other() -> None:
    assert layout.two_columns("a long description of it", "12,50 €", 20) == [
        "a long",
        "description",
        "of it        12,50 €",
    ]
    assert layout.two_columns("name", "a right part of its own", 20) == [
        "name",
        " a right part of its",
        "                 own",
    ]


@given(st.text(st.characters(codec="utf-8"), max_size=200), st.integers(4, 48))
@settings(max_examples=300)
def test_wrapping_loses_nothing_and_keeps_the_width(text: str, columns: int) -> None:
    clean = layout.clean(text)
    wrapped = layout.wrap(clean, columns)
    assert all(layout.width(line) <= columns for line in wrapped)
    assert "".join("".join(wrapped).split()) == "".join(clean.split())


@given(st.text(max_size=40), st.text(max_size=12))
@settings(max_examples=100)
def test_any_text_can_be_printed(left: str, right: str) -> None:
    printed(encode(Document((Text(left), Columns(left, right))), WIDE))


def test_what_has_no_looks_is_not_on_paper() -> None:
    assert layout.clean("a\u2029b\u2028c\x1bd\u200de\u202ef\ud800g\nh") == "a b c defg\nh"
    for text in ("\u2029", "\u202e", "\ud800", "\x00"):
        printed(encode(Document((Text(text), Columns(text, "漢" + text))), WIDE))


def test_importing_the_library_leaves_logging_alone() -> None:
    script = (
        "import logging, os; from holdfast_drivers.printers.profiles import load_profile, PICKLE_DIR;"
        "load_profile(); assert not logging.root.handlers; assert PICKLE_DIR not in os.environ"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True)
    assert not [handler for handler in logging.root.handlers if type(handler) is logging.StreamHandler]
