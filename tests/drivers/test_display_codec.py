"""Two lines of twenty cells: what goes out for them, and what a display that has few letters shows."""

from __future__ import annotations

import tracemalloc
import unicodedata
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_drivers.displays.commands import PAGES, WIDTH, Dialect, Language
from holdfast_drivers.displays.screen import Screen
from holdfast_drivers.displays.text import best_page, laid_out, spelled
from holdfast_drivers.values import Columns

LANGUAGES = (
    Language(),
    Language(pages=tuple(PAGES)),
    Language(pass_through=True),
    Language(Dialect.CD5220, pages=()),
    Language(Dialect.CD5220, pages=("cp858",)),
)
columns = st.builds(Columns, st.text(max_size=30), st.text(max_size=30))


def test_the_bytes_for_an_epson_display() -> None:
    assert Language().show(Columns("Tea", "1.20"), Columns("Total", "1.20")) == (
        b"\x1bt\x00\x1f$\x01\x01Tea             1.20\x1bt\x00\x1f$\x01\x02Total           1.20"
    )
    assert Language().begin() == b"\x1b@\x1f\x01\x1bR\x00\x1fC\x00\x0c"


def test_the_bytes_for_a_cd5220() -> None:
    language = Language(Dialect.CD5220, pages=())
    assert language.show(Columns("Tea", "1.20"), Columns("Total", "1.20")) == (
        b"\x1bQATea             1.20\r\x1bQBTotal           1.20\r"
    )
    assert language.begin() == b"\x1b@\x0c"


def test_behind_a_printer_all_is_between_select_and_give_back() -> None:
    language = Language(pass_through=True)
    for sent in (language.begin(), language.clear(), language.show(Columns("a", "b"), Columns("c", "d"))):
        assert sent.startswith(b"\x1b=\x02")
        assert sent.endswith(b"\x1b=\x01")


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({"pages": ("cp037",)}, "cp037"),
        ({"dialect": Dialect.CD5220}, "one code page"),
        ({"dialect": Dialect.CD5220, "pages": (), "pass_through": True}, "give the line back"),
    ],
)
def test_what_does_not_go_together_is_refused(keys: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Language(**keys)  # type: ignore[arg-type]


@pytest.mark.parametrize("language", LANGUAGES, ids=str)
@given(upper=columns, lower=columns, split=st.lists(st.integers(0, 200), max_size=6))
def test_what_is_meant_is_what_is_seen(language: Language, upper: Columns, lower: Columns, split: list[int]) -> None:
    """Any text at all, cut anywhere on its way."""
    screen = Screen()
    if language.pages and language.dialect is Dialect.CD5220:
        screen.page = language.pages[0]
    wire = language.show(upper, lower)
    edges = [0, *sorted(min(cut, len(wire)) for cut in split), len(wire)]
    for start, end in pairwise(edges):
        screen.feed(wire[start:end])
    assert screen.lines == (language.seen(upper), language.seen(lower))
    assert all(len(line) == WIDTH and line.isprintable() for line in screen.lines)
    assert screen.unknown == 0
    if "?" not in unicodedata.normalize("NFKD", upper.left + upper.right):
        assert "?" not in screen.lines[0]


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Käse", "Kaese"), ("Straße", "Strasse"), ("Ångström", "Aangstroem"), ("Łódź", "Lodz"), ("Æsir", "Aesir"),
        ("Ελλάδα", "Ellada"), ("Щи", "Shchi"), ("Київ", "Kiiv"), ("3 €", "3 EUR"), ("“a” \u2013 b…", '"a" - b...'),
        ("½", "1/2"), ("№ 5", "No 5"), ("a\x1b@\x0cb", "a@ b"), ("茶", ""), ("x\tb\r\nc", "x b c"), ("e\u0301", "e"),
    ],
)  # fmt: skip
def test_what_ascii_lacks_is_spelled(text: str, plain: str) -> None:
    assert spelled(text) == plain


@pytest.mark.parametrize(
    ("text", "page"),
    [("Tea", "cp437"), ("Käse", "cp437"), ("Käse 3 €", "cp858"), ("Щи", "cp866"), ("Łódź", "cp852"), ("茶", "cp437")],
)
def test_a_page_that_holds_it_is_found(text: str, page: str) -> None:
    assert best_page(text, ("cp437", "cp850", "cp866", "cp852", "cp858")) == page
    assert best_page(text, ()) == "ascii"


@given(st.text(max_size=40), st.text(max_size=40), st.integers(1, 40))
def test_a_line_is_as_wide_as_it_is_and_the_right_part_comes_first(left: str, right: str, width: int) -> None:
    line = laid_out(left, right, width)
    assert len(line) == width
    assert line.endswith(right[:width])
    if len(left) + len(right) < width:
        assert line.startswith(left)


@given(st.lists(st.binary(max_size=60), max_size=6))
def test_any_bytes_leave_two_lines(pieces: list[bytes]) -> None:
    split, whole = Screen(), Screen()
    for piece in pieces:
        split.feed(piece)
    whole.feed(b"".join(pieces))
    assert split == whole
    assert [len(line) for line in whole.lines] == [WIDTH, WIDTH]


@pytest.mark.proof
@pytest.mark.timeout(900)
def test_a_million_random_commands_in_flat_memory() -> None:
    rng = Random(20)
    screen = Screen()
    heads = b"\x1b@ \x1bt \x1bR \x1b= \x1bQA \x1bQB \x1f\x01 \x1f$ \x0c \x0b \r".split(b" ")
    tracemalloc.start()
    warm = 0
    for number in range(1_000_000):
        screen.feed(rng.choice(heads) + rng.randbytes(rng.randrange(6)))
        if number == 100_000:
            warm = tracemalloc.get_traced_memory()[0]
    grown = tracemalloc.get_traced_memory()[0] - warm
    tracemalloc.stop()
    print(f"display: {screen.shown} characters, {screen.unknown} unknown; memory grown {grown} bytes")
    assert screen.shown
    assert grown < 100_000
