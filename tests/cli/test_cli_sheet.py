"""The paper the CLI draws: every command card is on the sheet, its bars say what its text says, a badge too."""

from __future__ import annotations

import base64
import re
import zlib
from itertools import groupby
from pathlib import Path

import pytest
from barcode.charsets.code128 import CODES, START_CODES, STOP  # type: ignore[import-untyped]  # it ships no types
from typer.testing import CliRunner

from holdfast.cli.app import app
from holdfast.cli.badge_card import draw_badge
from holdfast.cli.drawing import MODULE, draw_barcode, lettered
from holdfast.cli.sheet import SECTIONS, draw_sheet
from holdfast.counter.commands import CARDS, barcode_of, card_words
from holdfast_drivers.barcodes import commands

Bars = list[tuple[float, float]]
"""Left edge and width, in modules."""

END = STOP + "11"
NUMBER = r"(-?[0-9.]+)"
BAR = re.compile(rf"n {NUMBER} {NUMBER} {NUMBER} {NUMBER} re f\*?")
SHOWN = re.compile(r"\(((?:[^()\\]|\\.)*)\) Tj")


def pages(pdf: Path) -> list[str]:
    """The drawing operators of each page."""
    streams = re.findall(rb"stream\r?\n(.*?)endstream", pdf.read_bytes(), re.DOTALL)
    found = [_unpacked(stream.strip()) for stream in streams]
    return [text for text in found if " Tj" in text]


def _unpacked(stream: bytes) -> str:
    """Content streams are ASCII 85 around zlib; fonts are not."""
    if not stream.endswith(b"~>"):
        return ""
    return zlib.decompress(base64.a85decode(b"<~" + stream, adobe=True)).decode("latin-1")


def shown(page: str) -> list[str]:
    return [re.sub(r"\\(\d{3})", lambda m: chr(int(m[1], 8)), text) for text in SHOWN.findall(page)]


def symbols(page: str) -> list[str]:
    """What a scanner reads on a page: the drawn bars, decoded. Bars of one symbol are drawn one after another."""
    texts = []
    bars: Bars = []
    for drawing in re.split(r"\bq\b|\bQ\b", page):
        bars = [(float(x) / MODULE, float(w) / MODULE) for x, _, w, h in BAR.findall(drawing) if float(h) > 20]
        if len(bars) > 10:
            texts.append(decode(bars))
    return texts


def decode(bars: Bars) -> str:
    """Code 128 from its bars, by the table of another library. Raises AssertionError for a wrong check symbol."""
    start = bars[0][0]
    width = round(bars[-1][0] + bars[-1][1] - start)
    bits = ["0"] * width
    for left, wide in bars:
        assert abs(wide - round(wide)) < 0.01
        for module in range(round(left - start), round(left - start + wide)):
            bits[module] = "1"
    text = "".join(bits)
    assert text.endswith(END)
    values = [CODES.index(text[at : at + 11]) for at in range(0, width - len(END), 11)]
    *data, check = values
    assert (data[0] + sum(place * value for place, value in enumerate(data))) % 103 == check
    return _text(data)


def _text(data: list[int]) -> str:
    sets = {code: name for name, code in START_CODES.items()} | {99: "C", 100: "B", 101: "A"}
    current, out = sets[data[0]], ""
    for value in data[1:]:
        if value in (99, 100, 101) and sets[value] != current:
            current = sets[value]
        else:
            out += f"{value:02d}" if current == "C" else chr(value + 32)
    return out


@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_every_card_is_there_and_scans(tmp_path: Path, language: str) -> None:
    sheet = tmp_path / "cards.pdf"
    told = CliRunner().invoke(app, ["command-sheet", str(sheet), "--language", language, "--shop", "Łódź"])
    assert told.exit_code == 0, told.output
    drawn = pages(sheet)
    assert len(drawn) == 2
    wanted = [barcode_of(card) for card in CARDS]
    texts = [text for page in drawn for text in shown(page)]
    assert sorted(text for text in texts if text.startswith("HFC")) == sorted(wanted)
    scanned = [symbol for page in drawn for symbol in symbols(page)]
    assert sorted(scanned) == sorted(wanted)
    assert [commands.decode(symbol) for symbol in scanned]
    everything = " ".join(texts)
    for words in card_words(language).values():  # type: ignore[arg-type]  # parametrised by name
        assert all(word in everything for word in words.split()), words


def test_no_card_reaches_over_its_page_or_onto_another(tmp_path: Path) -> None:
    sheet = tmp_path / "cards.pdf"
    draw_sheet(sheet)
    for page in pages(sheet):
        frames = re.findall(rf"n {NUMBER} {NUMBER} m", page)
        assert all(0 < float(x) < 595 and 0 < float(y) < 842 for x, y in frames)


def test_each_card_has_one_section() -> None:
    first = [next(section for section in SECTIONS if section.holds(card)) for card in CARDS]
    assert set(first) == set(SECTIONS)
    for _, run in groupby(sorted(CARDS, key=lambda card: card.code), key=lambda card: card.code):
        assert len(list(run)) == 1


def test_the_same_sheet_is_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.pdf", "b.pdf"):
        draw_sheet(tmp_path / name, shop="Test")
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()


def test_a_sheet_that_cannot_be_written() -> None:
    told = CliRunner().invoke(app, ["command-sheet", "/nowhere/cards.pdf"])
    assert (told.exit_code, "cannot be written" in told.stderr) == (2, True)
    assert CliRunner().invoke(app, ["command-sheet", "x.pdf", "--language", "nl"]).exit_code == 2


@pytest.mark.parametrize("name", ["Anna Berg", "Łukasz Żółć-Lewandowski van der Meulen", "Аня"])
def test_a_badge_scans(tmp_path: Path, name: str) -> None:
    card = tmp_path / "badge.pdf"
    draw_badge(card, shop="The Test Shop", name=name, role="cashier", badge="K3JQ7A2B", text="HFBK3JQ7A2BABCDEFGHIJ")
    (page,) = pages(card)
    assert symbols(page) == ["HFBK3JQ7A2BABCDEFGHIJ"]
    assert "K3JQ7A2B" in shown(page)
    assert card.stat().st_mode & 0o777 == 0o600


def test_letters_a_font_lacks_lose_their_accent() -> None:
    assert lettered("Käse", "Helvetica") == ("Käse", "Helvetica")
    assert lettered("Łódź ąś Я", "Helvetica-Bold") == ("Łódz as ?", "VeraBd")


def test_a_barcode_too_wide_for_its_card_is_an_error() -> None:
    with pytest.raises(ValueError, match="needs"):
        draw_barcode(None, "X" * 60, left=0, bottom=0, width=100, height=10)
