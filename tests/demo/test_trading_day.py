"""A day of a file becomes work; whatever the rows are, every one of them is accounted for."""

from __future__ import annotations

import lzma
from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import trading_day as td
from holdfast.domain.catalogue_csv import parse_csv
from trading_day import DataError, Row

START = datetime.fromisoformat("2011-01-26T08:30")
HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"

codes = st.sampled_from(
    ["85123A", "85123a", "22423", "POST", "M", "gift_0001_20", "C2", "", "x" * 40, "DCGS0076", "7 1"]
)
prices = st.one_of(st.none(), st.integers(-5000, 5000), st.just(0), st.just(1_000_000))
rows = st.builds(
    lambda invoice, code, name, quantity, minutes, pence: Row(
        invoice, code, name, quantity, START + timedelta(minutes=minutes), pence, ""
    ),
    st.sampled_from(["536365", "536366", "536367", "C536379", "A563185"]),
    codes,
    st.sampled_from(["", "WHITE LANTERN", 'SET/6 "RED" TEA', "CAFÉ, LARGE"]),
    st.one_of(st.integers(-80_995, 80_995), st.integers(1, 12), st.integers(99_999, 200_000)),
    st.integers(0, 600),
    prices,
)


@given(st.lists(rows, min_size=1, max_size=40), st.one_of(st.none(), st.integers(1, 3)))
def test_rung_and_left_out_are_all_rows_and_all_money(found: list[Row], baskets: int | None) -> None:
    if not any(td.rule_out(row) is None for row in found):
        with pytest.raises(DataError, match="nothing was sold"):
            td.plan(found, "2011-01-26", baskets=baskets)
        return
    day = td.plan(found, "2011-01-26", baskets=baskets)
    assert sum(basket.rows for basket in day.baskets) + day.left_out.total() == day.rows == len(found)
    rung = sum(basket.total for basket in day.baskets)
    assert rung + day.left_out_value.total() == day.value == sum(row.value for row in found)
    assert len(day.baskets) <= (baskets or len(found))


@given(st.lists(rows, min_size=1, max_size=40))
def test_articles_are_a_catalogue_the_hub_takes(found: list[Row]) -> None:
    found.append(Row("1", "22423", "CAKESTAND", 2, START, 1275, "12.75"))
    day = td.plan(found, "2011-01-26")
    products, problems = parse_csv(td.catalogue_csv(day), 2)
    assert problems == ()
    assert {product.sku: product.price for product in products} == {a.sku: a.pence for a in day.articles}
    assert len({article.gtin for article in day.articles}) == len(day.articles)
    assert {(line.article.sku) for basket in day.baskets for line in basket.lines} == {a.sku for a in day.articles}


@given(st.lists(rows, min_size=1, max_size=40))
def test_a_line_never_repeats_the_article_before_it(found: list[Row]) -> None:
    found.append(Row("1", "22423", "CAKESTAND", 2, START, 1275, "12.75"))
    for basket in td.plan(found, "2011-01-26").baskets:
        skus = [line.article.sku for line in basket.lines]
        assert all(a != b for a, b in pairwise(skus))


def test_a_second_price_of_a_code_is_an_article_of_its_own() -> None:
    seen = [Row(str(n), "22423", "CAKESTAND", 1, START, pence, "") for n, pence in enumerate((1095, 1275, 1275))]
    day = td.plan(seen, "2011-01-26")
    assert {article.sku: article.pence for article in day.articles} == {"22423": 1275, "22423@1095": 1095}


def test_free_articles_are_rung_but_never_expected_to_sell() -> None:
    seen = [
        Row("1", "22423", "CAKESTAND", 3, START, 1275, ""),
        Row("1", "21777", "RECIPE BOX", 5, START, 0, ""),
        Row("2", "22423", "CAKESTAND", 4, START, 1275, ""),
    ]
    assert td.expected_stock(td.plan(seen, "2011-01-26")) == Counter({"22423": 7})


def test_only_baskets_that_fit_are_played() -> None:
    seen = [Row("1", "22423", "", 1, START, 100, "")] * 3 + [Row("2", "22423", "", 1, START, 100, "")]
    day = td.plan(seen, "2011-01-26", fits=lambda basket: len(basket) < 3)
    assert [basket.invoice for basket in day.baskets] == ["2"]
    assert day.left_out == Counter(not_played=3)


@pytest.mark.parametrize(
    ("text", "pence"),
    [("2.55", 255), ("0", 0), ("12", 1200), ("1.5", 150), ("-11062.06", -1_106_206), ("0.001", None), ("3.10000", 310)],
)
def test_prices_are_read_without_a_float(tmp_path: Path, text: str, pence: int | None) -> None:
    (row,) = td.read_rows(written(tmp_path, f"536365,85123A,LANTERN,6,2011-01-26 08:26:00,{text},17850,UK\n"))
    assert row.pence == pence


@pytest.mark.parametrize(
    ("dates", "moments"),
    [
        (["2011-01-26 08:26:00", "2011-01-02 08:26"], ["2011-01-26T08:26:00", "2011-01-02T08:26:00"]),
        (["1/2/2011 8:26", "1/26/2011 8:26"], ["2011-01-02T08:26:00", "2011-01-26T08:26:00"]),
        (["1/2/2011 8:26", "26/1/2011 8:26"], ["2011-02-01T08:26:00", "2011-01-26T08:26:00"]),
    ],
)
def test_a_file_writes_all_its_dates_one_way(tmp_path: Path, dates: list[str], moments: list[str]) -> None:
    text = "".join(f"536365,85123A,LANTERN,6,{date},2.55,17850,UK\n" for date in dates)
    assert [row.at.isoformat() for row in td.read_rows(written(tmp_path, text))] == moments


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("536365,85123A,LANTERN,six,2011-01-26 08:26:00,2.55,,\n", "line 2"),
        ("536365,85123A,LANTERN,6,yesterday,2.55,,\n", "not a date"),
        ("536365,85123A,LANTERN,6,2011-01-26 08:26:00,cheap,,\n", "not a price"),
        ("536365,85123A\n", "line 2"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(tmp_path: Path, line: str, why: str) -> None:
    with pytest.raises(DataError, match=why):
        list(td.read_rows(written(tmp_path, line)))


def test_another_file_is_refused_by_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="no column InvoiceNo"):
        list(td.read_rows(path))


def test_every_day_of_the_demo_data_can_be_played() -> None:
    found = list(td.read_rows(td.DATA))
    assert set(td.days(found)) == {"2010-12-06", "2010-12-22", "2011-01-18", "2011-01-26", "2011-01-28"}
    for date in td.days(found):
        day = td.plan(found, date)
        assert parse_csv(td.catalogue_csv(day), 2)[1] == ()
        assert [basket.at for basket in day.baskets] == sorted(basket.at for basket in day.baskets)


def written(folder: Path, lines: str) -> Path:
    path = folder / "days.csv.xz"
    path.write_bytes(lzma.compress((HEADER + lines).encode()))
    return path
