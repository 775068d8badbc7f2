"""What is read from the papers under the printer."""

from __future__ import annotations

from collections import Counter

from papers import read_papers

HEAD = "            Online Retail\n"
TAIL = "Total GBP        10.00\n\n[code128] HFRDEM1R00000{0}*\n       Thank you!\n"


def receipt(number: int, *, mark: str = "") -> str:
    marks = f"        {mark}\n" if mark else ""
    return f"{HEAD}{marks}Receipt           DEM-1-R00000{number}\nLANTERN    2.55\n{TAIL.format(number)}"


def torn(number: int) -> str:
    return receipt(number).partition("Total")[0]


def test_originals_copies_and_late_ones_are_told_apart() -> None:
    paper = read_papers([receipt(1), receipt(2, mark="LATE"), receipt(1, mark="COPY 1")])
    assert paper.whole == Counter({"DEM-1-R000001": 1, "DEM-1-R000002": 1})
    assert paper.late == Counter({"DEM-1-R000002": 1})
    assert paper.copies == Counter({"DEM-1-R000001": 1})
    assert paper.torn == Counter()


def test_a_torn_one_that_runs_into_the_next_is_not_the_next() -> None:
    paper = read_papers([torn(3) + receipt(3, mark="COPY 1"), torn(4)])
    assert paper.torn == Counter({"DEM-1-R000003": 1, "DEM-1-R000004": 1})
    assert paper.copies == Counter({"DEM-1-R000003": 1})
    assert paper.whole == Counter()


def test_the_same_receipt_twice_is_seen_twice() -> None:
    assert read_papers([receipt(5), receipt(5)]).whole == Counter({"DEM-1-R000005": 2})


def test_the_tail_of_a_paper_without_its_head_is_none() -> None:
    assert read_papers([TAIL.format(6)]).whole == Counter()


def test_a_closing_is_known_by_its_number() -> None:
    paper = read_papers([f"{HEAD}        Z report\nNumber      DEM-1-Z000001\nReceipts    55\n"])
    assert paper.closings == Counter({"DEM-1-Z000001": 1})
    assert paper.whole == Counter()


def test_an_article_may_be_called_what_it_likes() -> None:
    text = receipt(7).replace("LANTERN ", "Receipt RED-R000009 ").replace("LANTERN", "COPY 1")
    assert read_papers([text]).whole == Counter({"DEM-1-R000007": 1})
