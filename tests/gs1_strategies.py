"""Sound GS1 elements for property tests, and what became of unsound ones."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st

from holdfast_drivers.barcodes.errors import Fault, Gs1Error
from holdfast_drivers.barcodes.gs1 import Element, ElementString
from holdfast_drivers.barcodes.gtin import check_digit

CSET_82 = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"


def digits(least: int, most: int) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=least, max_size=most)


def text(most: int) -> st.SearchStrategy[str]:
    return st.text(CSET_82, min_size=1, max_size=most)


def checked(length: int) -> st.SearchStrategy[str]:
    """Digits of which the last is the check digit."""
    return digits(length - 1, length - 1).map(lambda body: body + check_digit(body))


def dates() -> st.SearchStrategy[str]:
    return st.dates().map(lambda day: f"{day.year % 100:02}{day.month:02}{min(day.day, 28):02}")


VALUES: dict[str, st.SearchStrategy[str]] = {
    "00": checked(18),
    "01": checked(14),
    "10": text(20),
    "15": dates(),
    "17": dates() | dates().map(lambda day: day[:4] + "00"),
    "20": digits(2, 2),
    "21": text(20),
    "22": text(20),
    "235": text(28),
    "30": digits(1, 8),
    "3103": digits(6, 6),
    "37": digits(1, 8),
    "3922": digits(1, 15),
    "3932": digits(1, 15).map(lambda amount: "978" + amount),
    "414": checked(13),
    "423": st.lists(st.sampled_from(["276", "578", "840"]), min_size=1, max_size=5).map("".join),
    "7007": dates() | st.tuples(dates(), dates()).map("".join),
    "8003": st.tuples(checked(13), st.just("") | text(16)).map(lambda parts: "0" + "".join(parts)),
    "8008": dates().map(lambda day: day + "2359"),
    "91": text(90),
}


def element_lists(ais: tuple[str, ...] = tuple(VALUES)) -> st.SearchStrategy[list[Element]]:
    """One to eight elements, each AI once."""
    one = st.sampled_from(ais).flatmap(lambda ai: VALUES[ai].map(lambda value: Element(ai, value)))
    return st.lists(one, min_size=1, max_size=8, unique_by=lambda element: element.ai)


def refusal(parse: Callable[[str], ElementString], text: str) -> Fault | None:
    """Why `text` was refused; None when it was read."""
    try:
        parse(text)
    except Gs1Error as error:
        return error.fault
    return None
