"""Pictures and GS1 barcodes on paper: dot for dot, in bands, and as another decoder reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow

from holdfast_drivers.printers import star_encode
from holdfast_drivers.printers.bitmap import load_picture
from holdfast_drivers.printers.encode import encode
from holdfast_drivers.printers.interpreter import Interpreter
from holdfast_drivers.printers.language import Language
from holdfast_drivers.printers.paper import Line, Picture, Receipt, Symbol
from holdfast_drivers.printers.profiles import Profile, load_profile
from holdfast_drivers.printers.render import to_image
from holdfast_drivers.printers.star_interpreter import STAR
from holdfast_drivers.values import Barcode, Document, Image, Text
from holdfast_drivers.values import Symbol as Code

WIDE = load_profile("TM-T20II")
NARROW = load_profile("POS-5890")
NEEDLES = load_profile("TM-U220")
GS1 = "(01)09506000134352(10)A1(21)S7"
CARRIED = "0109506000134352" + "10A1\x1d21S7"


def on_paper(data: bytes, profile: Profile, language: Language | None = None) -> Receipt:
    interpreter = Interpreter(profile.dots, language=language)
    items = interpreter.feed(data)
    assert (interpreter.unknown, interpreter.pending) == (0, 0)
    return Receipt(profile.dots, tuple(items))


def dots(receipt: Receipt) -> Any:
    """All pictures below each other, without the margin."""
    pieces = [p for item in receipt.items if isinstance(item, Line) for p in item.pieces if isinstance(p, Picture)]
    sheet = Pillow.new("1", (pieces[0].width, sum(piece.height for piece in pieces)))
    top = 0
    for piece in pieces:
        sheet.paste(Pillow.frombytes("1", (piece.width, piece.height), piece.rows), (0, top))
        top += piece.height
    return sheet


def chequers(width: int, height: int) -> Image:
    image = Pillow.new("1", (width, height))
    image.putdata([(x // 7 + y // 5) % 2 for y in range(height) for x in range(width)])
    return Image(width, height, image.tobytes())


@pytest.mark.parametrize("size", [(8, 8), (575, 600), (13, 257), (1, 1)])
def test_a_picture_is_on_paper_dot_for_dot_in_the_middle(size: tuple[int, int]) -> None:
    picture = chequers(*size)
    left = (WIDE.dots - size[0]) // 2
    wanted = Pillow.frombytes("1", size, picture.rows)
    for data, language in (
        (encode(Document((picture,), cut=False), WIDE), None),
        (star_encode.encode(Document((picture,), cut=False), WIDE), STAR),
    ):
        found = dots(on_paper(data, WIDE, language))
        assert found.crop((left, 0, left + size[0], size[1])).tobytes() == wanted.tobytes()
        assert sum(found.histogram()[1:]) == sum(wanted.histogram()[1:]), "and nothing beside it"


def test_a_high_picture_goes_in_bands_small_printers_can_hold() -> None:
    data = encode(Document((chequers(576, 700),), cut=False), WIDE)
    assert data.count(b"\x1dv0\x00\x48\x00") == 3
    assert sum(isinstance(item, Line) for item in on_paper(data, WIDE).items) == 3


def test_a_picture_wider_than_the_paper_is_made_smaller() -> None:
    found = dots(on_paper(encode(Document((chequers(1000, 500),), cut=False), NARROW), NARROW))
    assert found.size == (384, 192)


def test_a_printer_without_rasters_gets_columns() -> None:
    data = encode(Document((Text("漢字"), chequers(64, 20)), cut=False), NEEDLES)
    assert b"\x1dv0" not in data
    found = dots(on_paper(data, NEEDLES))
    assert found.size == (400, 32 + 24)
    left = (400 - 64) // 2
    assert found.crop((left, 32, left + 64, 52)).tobytes() == chequers(64, 20).rows


@pytest.mark.parametrize("rows", [b"", b"\0" * 3, b"\0" * 5])
def test_a_picture_of_the_wrong_size_is_none(rows: bytes) -> None:
    with pytest.raises(ValueError, match="dots"):
        Image(9, 2, rows)


def test_a_logo_file_becomes_dots(tmp_path: Path) -> None:
    """Grey becomes every other dot, what is transparent stays paper, and it is made to fit."""
    file = Pillow.new("RGBA", (1200, 300), (0, 0, 0, 0))
    file.paste((0, 0, 0, 255), (0, 0, 400, 300))
    file.paste((128, 128, 128, 255), (400, 0, 800, 300))
    file.save(tmp_path / "logo.png")
    logo = load_picture(tmp_path / "logo.png", dots=576, rows=400)
    assert (logo.width, logo.height) == (576, 144)
    picture = Pillow.frombytes("1", (576, 144), logo.rows)
    black, grey, clear = (sum(picture.crop((x, 0, x + 180, 144)).histogram()[1:]) / 180 / 144 for x in (0, 197, 390))
    assert black > 0.99
    assert 0.4 < grey < 0.6
    assert clear < 0.01


def test_no_picture_is_no_logo(tmp_path: Path) -> None:
    (tmp_path / "logo.png").write_text("not a picture")
    for name in ("logo.png", "absent.png"):
        with pytest.raises(OSError, match=name):
            load_picture(tmp_path / name, dots=576, rows=400)
    Pillow.new("1", (9000, 9000)).save(tmp_path / "huge.png")
    with pytest.raises(OSError, match="too many"):
        load_picture(tmp_path / "huge.png", dots=576, rows=400)


def read(receipt: Receipt, zxing: Any) -> Any:
    (found,) = zxing.read_barcodes(to_image(receipt))
    return found


@pytest.mark.parametrize(("profile", "native"), [(WIDE, True), (load_profile("NT-5890K", dots=576, columns=48), False)])
def test_a_gs1_128_symbol_is_read_as_the_elements_it_carries(profile: Profile, native: bool) -> None:
    zxing = pytest.importorskip("zxingcpp", reason="zxing-cpp is not installed: codes are not read back")
    receipt = on_paper(encode(Document((Barcode(Code.GS1_128, GS1),)), profile), profile)
    assert any(isinstance(item, Symbol) for item in receipt.items) is native
    code = read(receipt, zxing)
    assert code.bytes.decode() == CARRIED
    assert code.symbology_identifier == "]C1", "FNC1 stands in front"


def test_a_gs1_128_symbol_on_a_star_is_dots() -> None:
    zxing = pytest.importorskip("zxingcpp", reason="zxing-cpp is not installed: codes are not read back")
    data = star_encode.encode(Document((Barcode(Code.GS1_128, GS1),)), WIDE)
    code = read(on_paper(data, WIDE, STAR), zxing)
    assert (code.bytes.decode(), code.symbology_identifier) == (CARRIED, "]C1")


def test_elements_too_many_for_the_paper_become_a_qr_code_with_brackets() -> None:
    """Not a GS1 QR code: what a scanner says is the text."""
    zxing = pytest.importorskip("zxingcpp", reason="zxing-cpp is not installed: codes are not read back")
    long = f"{GS1}(240)LONG-REFERENCE-1(241)LONG-REFERENCE-2"
    code = read(on_paper(encode(Document((Barcode(Code.GS1_128, long),)), WIDE), WIDE), zxing)
    assert (code.bytes.decode(), code.symbology_identifier) == (long, "]Q1")


def test_gs1_data_that_breaks_its_rules_is_refused() -> None:
    for wrong in ("(01)09506000134351", "(01)1", "0109506000134352", "(98765)x"):
        with pytest.raises(ValueError, match=r"."):
            encode(Document((Barcode(Code.GS1_128, wrong),)), WIDE)


PAPERS = {
    "80 mm, codes by the printer": (load_profile("TM-T20II"), False),
    "80 mm, codes as dots": (load_profile("NT-5890K", dots=576, columns=48), False),
    "58 mm, codes by the printer": (load_profile("TM-T20II", dots=384, columns=32), False),
    "58 mm, codes as dots": (load_profile("POS-5890"), False),
    "Star, 80 mm": (load_profile("TSP600", columns=48), True),
    "Star, 58 mm": (load_profile("TSP600", dots=384, columns=32), True),
}


@pytest.mark.parametrize(
    ("symbol", "data", "identifier", "says"),
    [
        (Code.CODE128, "HFR-7%Q{2025", "]C0", ""),
        (Code.CODE128, "HFRMRS1S000123K", "]C0", ""),
        (Code.GS1_128, "(01)09506000134352(10)A1", "]C1", "010950600013435210A1"),
        (Code.EAN13, "4006381333931", "]E0", ""),
        (Code.QR, "https://example.org/Zoë?a=1&b={2}%", "]Q1", ""),
        (Code.QR, "HFT1:MRS-1-S000123:" + "k3Zq7Wn2Xc9Vb5Lm" * 4, "]Q1", ""),
    ],
)
@pytest.mark.parametrize("paper", PAPERS)
def test_every_symbol_of_ours_is_read_back(paper: str, symbol: Code, data: str, identifier: str, says: str) -> None:
    zxing = pytest.importorskip("zxingcpp", reason="zxing-cpp is not installed: codes are not read back")
    profile, star = PAPERS[paper]
    document = Document((Text("above"), Barcode(symbol, data), Text("below")))
    sent = (star_encode.encode if star else encode)(document, profile)
    code = read(on_paper(sent, profile, STAR if star else None), zxing)
    assert code.bytes.decode() == (says or data)
    assert code.symbology_identifier == identifier
