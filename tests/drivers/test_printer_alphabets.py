# ruff: noqa: RUF001 - letters that look like Latin ones are the point
"""Every letter of Europe's languages on every kind of printer: as text where a page has it, else as dots, never `?`."""

from __future__ import annotations

import pytest

from holdfast_drivers.printers import bitmap, layout, star_encode
from holdfast_drivers.printers.encode import encode
from holdfast_drivers.printers.interpreter import Interpreter
from holdfast_drivers.printers.paper import Line, Picture, Request, Run
from holdfast_drivers.printers.profiles import Profile, load_profile
from holdfast_drivers.printers.sheet import pages_of
from holdfast_drivers.printers.star_interpreter import STAR
from holdfast_drivers.values import Document, Text

ALPHABETS = {
    "Albanian": "Ç Ë ç ë",
    "Basque, Spanish, Galician": "Á É Í Ñ Ó Ú Ü á é í ñ ó ú ü ¡ ¿ ª º",
    "Bosnian, Croatian, Slovene, Serbian": "Č Ć Đ Š Ž č ć đ š ž",
    "Breton, French": "À Â Æ Ç É È Ê Ë Î Ï Ô Œ Ù Û Ü Ÿ à â æ ç é è ê ë î ï ô œ ù û ü ÿ Ñ ñ « »",
    "Catalan, Occitan": "À Ç È É Í Ï Ò Ó Ú Ü à ç è é í ï ò ó ú ü · L·L l·l",
    "Czech, Slovak": "Á Ä Č Ď É Ě Í Ĺ Ľ Ň Ó Ô Ŕ Ř Š Ť Ú Ů Ý Ž á ä č ď é ě í ĺ ľ ň ó ô ŕ ř š ť ú ů ý ž",
    "Danish, Norwegian, Faroese, Icelandic": "Á Ð É Í Ó Ú Ý Þ Æ Ø Å Ö á ð é í ó ú ý þ æ ø å ö",
    "Dutch": "É Ë Ï Ö Ü Ĳ é ë ï ö ü ĳ ƒ",
    "Estonian, Finnish, Swedish": "Å Ä Õ Ö Ü Š Ž å ä õ ö ü š ž",
    "German, Luxembourgish": "Ä Ö Ü ä ö ü ß é ë „ “ ‚ ‘",
    "Hungarian": "Á É Í Ó Ö Ő Ú Ü Ű á é í ó ö ő ú ü ű",
    "Irish, old and new": "Á É Í Ó Ú á é í ó ú Ḃ Ċ Ḋ Ḟ Ġ Ṁ Ṗ Ṡ Ṫ ḃ ċ ḋ ḟ ġ ṁ ṗ ṡ ṫ",
    "Italian, Romansh": "À È É Ì Í Î Ò Ó Ù Ú à è é ì í î ò ó ù ú",
    "Latvian": "Ā Č Ē Ģ Ī Ķ Ļ Ņ Š Ū Ž ā č ē ģ ī ķ ļ ņ š ū ž",
    "Lithuanian": "Ą Č Ę Ė Į Š Ų Ū Ž ą č ę ė į š ų ū ž",
    "Maltese": "Ċ Ġ Ħ Ż À È Ì Ò Ù ċ ġ ħ ż à è ì ò ù",
    "Northern Sami": "Á Č Đ Ŋ Š Ŧ Ž á č đ ŋ š ŧ ž",
    "Polish, Kashubian, Sorbian": "Ą Ć Ę Ł Ń Ó Ś Ź Ż Ã É Ë Ò Ô Ù Ě Ř ą ć ę ł ń ó ś ź ż ã é ë ò ô ù ě ř",
    "Portuguese": "Á Â Ã À Ç É Ê Í Ó Ô Õ Ú á â ã à ç é ê í ó ô õ ú",
    "Romanian": "Ă Â Î Ș Ț ă â î ș ț Ş Ţ ş ţ",
    "Turkish, Azeri": "Ç Ğ I İ Ö Ş Ü Ə ç ğ ı i ö ş ü ə",
    "Welsh": "Â Ê Î Ô Û Ŵ Ŷ â ê î ô û ŵ ŷ Ẁ Ẃ Ẅ Ỳ ẁ ẃ ẅ ỳ",
    "Greek": "Ά Έ Ή Ί Ό Ύ Ώ Α Β Γ Δ Ε Ζ Η Θ Ι Κ Λ Μ Ν Ξ Ο Π Ρ Σ Τ Υ Φ Χ Ψ Ω "
    "ά έ ή ί ό ύ ώ ϊ ϋ ΐ ΰ α β γ δ ε ζ η θ ι κ λ μ ν ξ ο π ρ σ ς τ υ φ χ ψ ω",
    "Russian": "А Б В Г Д Е Ё Ж З И Й К Л М Н О П Р С Т У Ф Х Ц Ч Ш Щ Ъ Ы Ь Э Ю Я "
    "а б в г д е ё ж з и й к л м н о п р с т у ф х ц ч ш щ ъ ы ь э ю я",
    "Ukrainian, Belarusian": "Ґ Є І Ї Ў ґ є і ї ў ’",
    "Bulgarian, Macedonian, Serbian": "Ђ Ѓ Ѕ Ј Љ Њ Ћ Ќ Џ Ѝ ђ ѓ ѕ ј љ њ ћ ќ џ ѝ",
    "Armenian": "Ա Բ Գ Դ Ե Զ Է Ը Թ Ժ Ի Լ Խ Ծ Կ Հ Ձ Ղ Ճ Մ Յ Ն Շ Ո Չ Պ Ջ Ռ Ս Վ Տ Ր Ց Ւ Փ Ք Օ Ֆ "
    "ա բ գ դ ե զ է ը թ ժ ի լ խ ծ կ հ ձ ղ ճ մ յ ն շ ո չ պ ջ ռ ս վ տ ր ց ւ փ ք օ ֆ և ՝ ։",
    "Georgian": "ა ბ გ დ ე ვ ზ თ ი კ ლ მ ნ ო პ ჟ რ ს ტ უ ფ ქ ღ ყ შ ჩ ც ძ წ ჭ ხ ჯ ჰ",
    "punctuation": "„ “ ” ‚ ‘ ’ « » ‹ › – — … • · ° № ‰ ½ ¼ ¾ × ÷ ± § ¶ † ‡ © ® ™ ² ³ µ",
    "money": "€ £ ¥ ¢ ₺ ₴ ₽ ₤ ƒ 12,50",
}
ESCPOS = ("TM-T20II", "TM-T88V", "TM-U220", "POS-5890", "NT-5890K", "ZJ-5870", "RP326", "default", "simple")
STARS = (48, 32)


def on_paper(text: str, profile: Profile, *, star: bool) -> list[Line]:
    document = Document((Text(text),), cut=False)
    printer = Interpreter(profile.dots, None if star else pages_of(profile), language=STAR if star else None)
    items = printer.feed((star_encode.encode if star else encode)(document, profile))
    assert (printer.unknown, printer.pending) == (0, 0)
    assert all(isinstance(item, Line | Request) for item in items)
    return [item for item in items if isinstance(item, Line)]


def dots(lines: list[Line]) -> bytes:
    """The pictures below each other, without the white below the last one."""
    rows = (piece.rows for line in lines for piece in line.pieces if isinstance(piece, Picture))
    return b"".join(rows).rstrip(b"\0")


def drawn(text: str, profile: Profile, rows: int = bitmap.LINE_DOTS) -> bytes:
    width, cell = profile.dots // 8 * 8, profile.dots // profile.columns
    image = bitmap.text_bitmap(text, x=0, dots=width, cell=cell, bold=False, big=False, font=None, rows=rows)
    return bytes(image.tobytes()).rstrip(b"\0")


def check(profile: Profile, *, star: bool) -> dict[str, int]:
    """Every line of every alphabet; how many went out as text and as dots."""
    tally = {"text": 0, "dots": 0}
    for alphabet in ALPHABETS.values():
        for text in layout.wrap(alphabet, profile.columns):
            lines = on_paper(text, profile, star=star)
            pieces = [piece for line in lines for piece in line.pieces]
            if isinstance(pieces[0], Run):
                assert "".join(piece.text for piece in pieces if isinstance(piece, Run)) == text
                tally["text"] += 1
            else:
                assert dots(lines) == drawn(text, profile, 24 if star else 30), text
                height = sum(line.height for line in lines)
                assert height <= 32 or not profile.raster, "no higher than a line of text, but for needles"
                tally["dots"] += 1
    return tally


@pytest.mark.parametrize("name", ESCPOS)
def test_every_letter_is_on_paper(name: str) -> None:
    tally = check(load_profile(name), star=False)
    print(f"{name}: {tally}")
    assert tally["dots"] >= 4, "Armenian and Georgian at least"


@pytest.mark.parametrize("columns", STARS)
def test_every_letter_is_on_stars_paper(columns: int) -> None:
    tally = check(load_profile("TSP600", dots=columns * 12, columns=columns), star=True)
    print(f"Star, {columns} columns: {tally}")
    assert tally["text"] > tally["dots"]


def test_the_font_has_every_letter() -> None:
    """Drawn, it is neither blank nor the hollow box of what is lacking."""
    font = bitmap.load_font(20)
    box, blank = (bytes(font.getmask(char)) for char in ("\uffff", " "))
    assert bytes(font.getmask("漢")) == box, "what is lacking is seen to be lacking"
    for name, alphabet in ALPHABETS.items():
        lacking = [char for char in alphabet if char != " " and bytes(font.getmask(char)) in (box, blank)]
        assert not lacking, name


@pytest.mark.parametrize(("rows", "cut"), [(bitmap.LINE_DOTS, []), (24, ["ΐ", "ΰ"])])
def test_no_letter_is_cut_off_at_head_or_foot(rows: int, cut: list[str]) -> None:
    """On a Star's 24 rows two Greek letters lose the top row of their accent."""

    def ink(letter: str, rows: int) -> int:
        image = bitmap.text_bitmap(letter, x=0, dots=24, cell=12, bold=False, big=False, font=None, rows=rows)
        return sum(byte.bit_count() for byte in image.tobytes())

    letters = sorted(set("".join(ALPHABETS.values())))
    assert [letter for letter in letters if ink(letter, rows) < ink(letter, 60)] == cut


def test_what_is_younger_than_the_font_is_written_out() -> None:
    assert layout.clean("5 ₾, 5 ֏, 5 ₼, GROẞ") == "5 GEL, 5 AMD, 5 AZN, GROSS"


def test_a_letter_missing_from_paper_is_noticed() -> None:
    """The negative control: an encoder that prints `?` for what its page lacks."""
    profile = load_profile("simple")
    printer = Interpreter(profile.dots)
    (line,) = printer.feed("Łódź\n".encode("cp437", "replace"))
    assert isinstance(line, Line)
    (run,) = line.pieces
    assert isinstance(run, Run)
    assert run.text == "?ód?"
