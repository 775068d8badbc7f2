"""The virtual printer's reading of the language, command by command, and of noise."""

from __future__ import annotations

import io
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from holdfast_drivers.printers import symbols
from holdfast_drivers.printers.commands import MAX_COMMAND, Command, Printable, Tokeniser, Unknown
from holdfast_drivers.printers.interpreter import Interpreter
from holdfast_drivers.printers.paper import Cut, Item, Line, Picture, Pulse, Receipt, Request, Run, Style, Symbol
from holdfast_drivers.printers.render import to_image, to_png, to_text
from holdfast_drivers.values import Align


def items(data: bytes, dots: int = 576) -> list[Item]:
    printer = Interpreter(dots)
    found = printer.feed(data)
    assert (printer.unknown, printer.pending) == (0, 0)
    return found


def text(data: bytes) -> list[str]:
    return to_text(Receipt(576, tuple(items(data)))).splitlines()


def run_of(data: bytes) -> Run:
    (line,) = (item for item in items(data) if isinstance(item, Line))
    (run,) = line.pieces
    assert isinstance(run, Run)
    return run


def picture_of(data: bytes) -> Picture:
    (line,) = (item for item in items(data) if isinstance(item, Line) and item.pieces)
    (picture,) = line.pieces
    assert isinstance(picture, Picture)
    return picture


@pytest.mark.parametrize(
    ("data", "style"),
    [
        (b"\x1bE\x01", Style(bold=True)),
        (b"\x1bE\x01\x1bE\x00", Style()),
        (b"\x1bG1", Style(bold=True)),
        (b"\x1b-2", Style(underline=2)),
        (b"\x1dB\x01", Style(invert=True)),
        (b"\x1b{\x01", Style(upside_down=True)),
        (b"\x1bM1", Style(font=1)),
        (b"\x1d!\x37", Style(wide=4, tall=8)),
        (b"\x1b!\xb9", Style(font=1, bold=True, wide=2, tall=2, underline=1)),
        (b"\x1b!\xb9\x1b@", Style()),
    ],
)
def test_styles(data: bytes, style: Style) -> None:
    assert run_of(data + b"x\n").style == style


@pytest.mark.parametrize(
    ("data", "printed"),
    [
        (b"\x1bt\x00\x82", "é"),
        (b"\x1bt\x02\xd5", "\u0131"),
        (b"\x1bt\x13\xd5", "€"),
        (b"\x1bt\x10\x80\xe9", "€é"),
        (b"\x1bt\x12\x9d", "Ł"),
        (b"\x1bt\x11\x8f\xe0", "Пр"),
        (b"\x1bt\x0e\xa2", "λ"),
        (b"\x1bt\x01\xb1\x95", "ｱ─"),
        (b"\x1bt\x63\xe9", "\ufffd"),
        (b"\x1bR\x02[\\]", "ÄÖÜ"),
        (b"\x1bR\x02\x1bR\x00[\\]", "[\\]"),
    ],
)
def test_code_pages_and_countries(data: bytes, printed: str) -> None:
    assert run_of(data + b"\n").text == printed


def test_lines_fill_break_and_align() -> None:
    assert text(b"x" * 50 + b"\n") == ["x" * 48, "xx"]
    assert text(b"\x1ba\x01ab\n\x1ba2ab\n\x1ba\x00ab\n") == [" " * 23 + "ab", " " * 46 + "ab", "ab"]
    assert text(b"\x1d!\x10" + b"x" * 25 + b"\n") == ["x" * 24, "x"]
    assert text(b"\x1dL\x18\x00\x1dW\x30\x00abcdef\n") == ["  abcd", "  ef"]
    assert text(b"a\tb\n\x1bD\x04\x00a\tb\n") == ["a       b", "a   b"]
    assert text(b"name\x1b$\x40\x02\x1b\\\xd0\xff1,20\n") == ["name" + " " * 40 + "1,20"]


def test_feeds_advance_the_paper() -> None:
    heights = [item.y for item in items(b"a\n\n\x1b3\x50b\n\x1b2c\n\x1bd\x02d\n\x1bJ\x07e\n") if isinstance(item, Line)]
    assert heights == [0, 30, 60, 140, 170, 200, 230, 260, 267]
    assert [item.y for item in items(b"a\x1bd\x02b\x1bd\x00c\n") if isinstance(item, Line)] == [0, 30, 60, 84]


def test_cuts_pulses_and_requests_come_in_order() -> None:
    found = items(b"a\n\x1bp\x01\x32\xfa\x1dr\x01\x1dI\x43\x1da\xff\x1d(H\x06\x00000042\x1dVA\x03b\x1bm\x1bi\x1dV\x31")
    assert [item for item in found if not isinstance(item, Line)] == [
        Pulse(pin=1, on_ms=100),
        Request(b"\x1dr", b"\x01"),
        Request(b"\x1dI", b"C"),
        Request(b"\x1da", b"\xff"),
        Request(b"\x1d(H", b"000042"),
        Cut(full=True),
        Cut(full=False),
        Cut(full=True),
        Cut(full=False),
    ]


ARROW = bytes((0b10000000, 0b11000000, 0b11100000, 0b11110000, 0b11111000, 0b11111100, 0b11111110, 0b11111111))


def test_pictures_in_every_form_are_the_same_dots() -> None:
    columns = bytes(255 >> x for x in range(8))
    forms = [
        b"\x1dv0\x00\x01\x00\x08\x00" + ARROW,
        b"\x1d(L\x12\x000p0\x01\x011\x08\x00\x08\x00" + ARROW + b"\x1d(L\x02\x0002",
        b"\x1d8L\x12\x00\x00\x000p0\x01\x011\x08\x00\x08\x00" + ARROW + b"\x1d(L\x02\x0002",
        b"\x1d*\x01\x01" + columns + b"\x1d/\x00",
        b"\x1dQ0\x00\x08\x00\x01\x00" + columns,
        b"\x1b*\x01\x08\x00" + columns + b"\n",
    ]
    pictures = [picture_of(form) for form in forms]
    assert {(picture.width, picture.height, picture.rows) for picture in pictures} == {(8, 8, ARROW)}
    assert [picture.scale for picture in pictures] == [(1, 1)] * 5 + [(1, 3)]


@pytest.mark.parametrize(("mode", "scale"), [(0, (1, 1)), (1, (2, 1)), (2, (1, 2)), (3, (2, 2))])
def test_raster_scales(mode: int, scale: tuple[int, int]) -> None:
    assert picture_of(b"\x1dv0" + bytes((mode, 1, 0, 8, 0)) + ARROW).scale == scale


@pytest.mark.parametrize(
    "command",
    [
        b"\x1b&\x03\x41\x42\x02" + b"U" * 6 + b"\x01" + b"U" * 3,
        b"\x1bD\x08\x10\x18\0",
        b"\x1bW" + b"U" * 8,
        b"\x1bc3\x01",
        b"\x1b7\x07\x50\x02",
        b"\x1b(A\x04\x000123",
        b"\x1c2\x21\x21" + b"U" * 72,
        b"\x1cq\x01\x01\0\x01\0" + b"U" * 8,
        b"\x1cp\x01\0",
        b"\x1cg2\0" + b"U" * 6,
        b"\x1cg1\0UUUU\x03\0UUU",
        b"\x1d^\x01\x02\0",
        b"\x1dC0\x01\x02\0",
        b"\x1dC1" + b"U" * 6,
        b"\x1dC2\x01\0",
        b"\x1dg2\0\x01\0",
        b"\x1dz0\x01\x02",
        b"\x1dP\xcb\xcb",
        b"\x1dT\x01",
        b"\x1dA\0\0",
        b"\x1d<",
        b"\x1d\x0c",
        b"\x1d\xf9D\x01\x02",
        b"\x1d\xf9!\x01",
        b"\x1d(k\x03\x001Q0",
        b"\x10\x14\x01\x00\x01",
        b"\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08",
    ],
)
def test_a_command_ends_where_its_reference_says(command: bytes) -> None:
    """What follows is text again, and not a byte of the command is."""
    assert text(b"a" + command + b"b\n") == ["ab"]


def test_a_windows_bitmap_is_passed_over_whole() -> None:
    bitmap = b"BM" + (70).to_bytes(4, "little") + bytes(64)
    assert text(b"a\x1dD0C0AB01" + bitmap + b"b\n") == ["ab"]
    printer = Interpreter()
    printer.feed(b"\x1dD0C0AB01XX" + bytes(20))
    assert printer.unknown > 0


BEMA, POS = b"\x1d\xf950", b"\x1d\xf951"


def test_bematech_reads_the_same_bytes_otherwise() -> None:
    assert run_of(BEMA + b"\x1bEab\n").style.bold
    assert run_of(BEMA + POS + b"\x1bEab\n").text == "b"
    assert run_of(BEMA + b"\x1bt\x05\xd5\n").text == "€"
    assert run_of(BEMA + b"\x1bt\x08\xe2\x82\xac\n").text == "€"
    assert [item for item in items(BEMA + b"\x1bv\x78\x1b\x80\x32\x1bw") if not isinstance(item, Line)] == [
        Pulse(pin=0, on_ms=120),
        Pulse(pin=1, on_ms=50),
        Cut(full=True),
    ]
    assert text(BEMA + b"a\x1bf\x00\x03b\x1bf\x01\x02c\n") == ["a   b", "", "c"]


def test_a_line_of_double_width_ends_with_the_line() -> None:
    first, second = (item for item in items(BEMA + b"\x0ea\nb\n") if isinstance(item, Line))
    assert [piece.size[0] for line in (first, second) for piece in line.pieces] == [24, 12]


def test_utf_8_may_be_split_anywhere() -> None:
    printer = Interpreter()
    found = [item for byte in BEMA + b"\x1bt\x08" + "4 €\n".encode() for item in printer.feed(bytes([byte]))]
    assert to_text(Receipt(576, tuple(found))) == "4 €\n"


@pytest.mark.parametrize(
    ("command", "caption"),
    [
        (b"\x1dkC\x0c400638133393", "4006381333931"),
        (b"\x1dkC\x0d4006381333930", "4006381333931"),
        (b"\x1dkD\x074006381", "40063812"),
        (b"\x1dkA\x0b12345678901", "123456789012"),
        (b"\x1dkB\x06123456", "01234565"),
        (b"\x1dkB\x03xyz", "xyz"),
    ],
)
def test_a_caption_ends_with_the_check_digit_that_belongs_there(command: bytes, caption: str) -> None:
    assert text(command) == [f"[{symbol_of(command).kind}] {caption}"]


def symbol_of(command: bytes) -> Symbol:
    (symbol,) = items(command)
    assert isinstance(symbol, Symbol)
    return symbol


def test_a_24_dot_bit_image() -> None:
    picture = picture_of(b"\x1b*!\x02\x00" + b"\x80\x00\x01\x40\x00\x00\n")
    assert picture.height == 24
    assert picture.rows == b"\x80\x40" + bytes(21) + b"\x80"


@pytest.mark.parametrize(
    ("data", "kind", "content"),
    [
        (b"\x1dk\x024006381333931\x00", "ean13", b"4006381333931"),
        (b"\x1dkC\x0d4006381333931", "ean13", b"4006381333931"),
        (b"\x1dkI\x06{BAB12", "code128", b"{BAB12"),
        (b"\x1dk\x04ABC\x00", "code39", b"ABC"),
        (b"\x1d(k\x06\x001P0abc\x1d(k\x03\x001Q0", "qr", b"abc"),
        (b"\x1d(k\x06\x000P0abc\x1d(k\x03\x000Q0", "pdf417", b"abc"),
        (b"\x1dkQ\x02\x08\x00\x01\x03\x00abc", "qr", b"abc"),
    ],
)
def test_symbols(data: bytes, kind: str, content: bytes) -> None:
    (symbol,) = items(b"\x1ba\x01" + data)
    assert isinstance(symbol, Symbol)
    assert (symbol.kind, symbol.data, symbol.align) == (kind, content, Align.CENTRE)


def test_code_128_by_the_standard() -> None:
    """Start, values, check and text of a symbol worked out by hand: PJJ123C is the standard's own example."""
    assert symbols.code128_values(b"{APJJ123C")[-1] == 54
    assert symbols.code128_command("PJJ123C") == b"{BPJJ123C"
    assert symbols.code128_command("12345") == b"{C\x0c\x22{B5"
    assert symbols.code128_text(b"{C\x0c\x22{B5{{") == "12345{"
    assert symbols.code128_text(b"{B{11") == "1"
    for wrong in (b"", b"AB", b"{B\xe9", b"{B{9", b"{C\x7f"):
        with pytest.raises(ValueError, match=r"."):
            symbols.code128_values(wrong)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=40))
def test_code_128_says_what_it_was_given(data: str) -> None:
    command = symbols.code128_command(data)
    assert symbols.code128_text(command) == data
    (row,) = symbols.code128_modules(command)
    assert len(row) == 11 * len(symbols.code128_values(command)) + 13


def test_an_unknown_command_is_counted_and_passed_over() -> None:
    printer = Interpreter()
    found = printer.feed(b"a\x01\x1b\xffb\x10c\n")
    assert printer.unknown == 4
    (line,) = found
    assert isinstance(line, Line)
    assert [piece.text for piece in line.pieces if isinstance(piece, Run)] == ["a", "b", "c"]


def test_a_picture_of_absurd_size_is_not_waited_for() -> None:
    printer = Interpreter()
    printer.feed(b"\x1dv0\x00\xff\xff\xff\xff" + b"text\n")
    assert printer.pending == 0
    assert printer.unknown == 2


def test_a_command_that_never_ends_is_given_up() -> None:
    printer = Interpreter()
    printer.feed(b"\x1cq\xff" + b"\xff" * 4 + b"\xff" * MAX_COMMAND)
    found = printer.feed(b"\nafter\n")
    assert printer.pending == 0
    assert "after" in to_text(Receipt(576, tuple(found)))


def test_overprinting_one_spot_for_ever_stays_bounded() -> None:
    printer = Interpreter()
    found = printer.feed(b"\x1b$\x00\x00a" * 5000)
    assert max(len(item.pieces) for item in found if isinstance(item, Line)) <= 512


def flatten(tokens: list[Printable | Command | Unknown]) -> list[object]:
    """Runs of characters come as they arrived; here they are single."""
    out: list[object] = []
    for token in tokens:
        out += token.data if isinstance(token, Printable) else [token]
    return out


COMMANDS = (b"\x1b@", b"\x1dv0\x00\x01\x00\x02\x00ab", b"\x1dk\x02123\x00", b"\x1bD\x01\x02\x00", b"hi\n", b"\x1d(k")
PIECE = st.one_of(st.binary(max_size=12), st.sampled_from(COMMANDS))


@given(st.lists(PIECE, max_size=30).map(b"".join), st.integers(1, 7))
@settings(max_examples=300)
def test_any_split_gives_the_same_commands(data: bytes, size: int) -> None:
    whole, split = Tokeniser(), Tokeniser()
    expected = flatten(list(whole.feed(data)))
    found = [token for at in range(0, len(data), size) for token in split.feed(data[at : at + size])]
    assert flatten(found) == expected
    assert split.pending == whole.pending


@given(st.lists(PIECE, max_size=30).map(b"".join))
@settings(max_examples=200, deadline=None)
def test_whatever_is_printed_can_be_rendered(data: bytes) -> None:
    receipt = Receipt(384, tuple(Interpreter(384).feed(data + b"\n")))
    to_text(receipt)
    to_image(receipt)


@pytest.mark.proof
@pytest.mark.parametrize("seed", range(10))
def test_a_million_bytes_of_noise(seed: int) -> None:
    """Random bytes, half of them seasoned with real prefixes; printed to the end and rendered."""
    random, printer = Random(seed), Interpreter()
    seasoning = (b"\x1b", b"\x1d", b"\x1d(k", b"\x1d(L", b"\x1b*", b"\x1dv0", b"\x1dk", b"\x1d8L", b"\x10\x14", b"\n")
    seasoning += (b"\x1dQ0", b"\x1dD0C0AB01BM", BEMA, BEMA + b"\x1b", POS)
    for _ in range(500):
        prefix = random.choice(seasoning) if seed % 2 else b""
        found = printer.feed(prefix + random.randbytes(100))
        assert printer.pending <= MAX_COMMAND
        to_text(Receipt(576, tuple(found)))
    printer.feed(bytes(MAX_COMMAND + 1) + POS)
    found = printer.feed(b"\n\x1b@still here\n")
    assert "still here" in to_text(Receipt(576, tuple(found)))


def test_a_png_is_as_wide_as_the_paper_and_shows_the_ink() -> None:
    receipt = Receipt(384, tuple(items(b"\x1dB\x01" + b"X" * 32 + b"\n\x1d(k\x06\x001P0abc\x1d(k\x03\x001Q0", 384)))
    with Image.open(io.BytesIO(to_png(receipt))) as image:
        assert image.format == "PNG"
        assert image.width == 384 + 64
        assert image.getpixel((10, 50)) > 200, "margin"
        dark = sum(image.convert("L").histogram()[:100])
        assert dark > 384 * 24 // 3


@pytest.mark.parametrize("kind", ["ean13", "code93", "qr"])
def test_a_symbol_with_impossible_data_is_drawn_as_noise(kind: str) -> None:
    symbol = Symbol(0, 100, kind, b"\xff" * 5000, 3, bar_height=100)
    image = to_image(Receipt(576, (symbol,)))
    assert sum(image.histogram()[:100]) > 1000
