"""Money arithmetic: the reference's check values, and the laws behind them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.pricing import Line, cash_rounding, divide, line_discount, net_of, price, spread
from holdfast_contract.sale import TaxGroup

amounts = st.integers(-(10**12), 10**12)
rates = st.integers(0, 1_000_000)
lines = st.lists(
    st.builds(Line, st.integers(0, 10**9), st.sampled_from("SZ"), st.sampled_from([0, 70_000, 190_000]),
              st.sampled_from(["house", "bee", "clay"])),
    max_size=12,
)  # fmt: skip


@pytest.mark.parametrize(
    ("numerator", "denominator", "quotient"), [(5, 2, 3), (-5, 2, -3), (4, 3, 1), (-4, 3, -1), (0, 7, 0)]
)
def test_division_rounds_half_away_from_zero(numerator: int, denominator: int, quotient: int) -> None:
    assert divide(numerator, denominator) == quotient


@pytest.mark.parametrize(
    ("gross", "ppm", "net", "tax"),
    [(1999, 190_000, 1680, 319), (12345, 70_000, 11537, 808), (1, 190_000, 1, 0), (500, 0, 500, 0)],
)
def test_inv_1_1_tax_included_groups(gross: int, ppm: int, net: int, tax: int) -> None:
    assert (net_of(gross, ppm), gross - net_of(gross, ppm)) == (net, tax)


@pytest.mark.parametrize(
    ("total", "weights", "shares"),
    [
        (1000, [3333, 3333, 3334], [333, 333, 334]),
        (100, [1, 1, 1], [34, 33, 33]),
        (4990, [3990, 1990], [3329, 1661]),
        (-100, [1, 1, 1], [-34, -33, -33]),
        (0, [0, 0], [0, 0]),
        (0, [], []),
    ],
)
def test_inv_1_2_shares_by_largest_remainder(total: int, weights: list[int], shares: list[int]) -> None:
    assert spread(total, weights) == shares


def test_nothing_to_share_by_is_an_error() -> None:
    with pytest.raises(ValueError, match="no weight"):
        spread(1, [0, 0])


@given(total=amounts, weights=st.lists(st.integers(0, 10**9), min_size=1).filter(any))
def test_inv_1_2_sharing_neither_creates_nor_loses(total: int, weights: list[int]) -> None:
    shares = spread(total, weights)
    whole = sum(weights)
    assert sum(shares) == total
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share * whole - total * weight) < whole
        assert weight or not share


@given(amount=st.integers(0, 10**12), ppm=rates)
def test_inv_1_2_a_discount_is_nothing_to_everything(amount: int, ppm: int) -> None:
    assert 0 <= line_discount(amount, ppm) <= amount
    assert line_discount(amount, 1_000_000) == amount


@given(amount=amounts, step=st.sampled_from([1, 5, 10, 50]))
def test_inv_3_2_cash_rounding_reaches_the_nearest_coin(amount: int, step: int) -> None:
    rounding = cash_rounding(amount, step)
    assert (amount + rounding) % step == 0
    assert abs(rounding) * 2 <= step


@given(lines=lines)
def test_inv_1_1_groups_sum_to_the_payable(lines: list[Line]) -> None:
    priced = price(lines)
    assert priced.payable == sum(line.amount for line in lines)
    assert sum(group.net + group.tax for group in priced.groups) == priced.payable
    assert [(priced.groups[g].category, priced.groups[g].ppm) for g in priced.group_of] == [
        (line.category, line.ppm) for line in lines
    ]


@given(lines=lines)
def test_inv_3_8_merchants_share_the_net_exactly(lines: list[Line]) -> None:
    priced = price(lines)
    assert sum(priced.revenue.values()) == sum(group.net for group in priced.groups)
    for merchant, net in priced.revenue.items():
        gross = sum(line.amount for line in lines if line.merchant == merchant)
        assert 0 <= net <= gross


@given(lines=lines)
def test_inv_1_6_negating_every_line_negates_every_total(lines: list[Line]) -> None:
    there, back = price(lines), price([line._replace(amount=-line.amount) for line in lines])
    assert back.payable == -there.payable
    assert back.groups == tuple(TaxGroup(g.category, g.ppm, -g.net, -g.tax) for g in there.groups)
    assert back.revenue == {merchant: -net for merchant, net in there.revenue.items()}


@given(amount=amounts, ppm=rates, step=st.sampled_from([1, 5, 10]))
def test_inv_1_6_every_function_is_odd(amount: int, ppm: int, step: int) -> None:
    assert divide(-amount, ppm + 1) == -divide(amount, ppm + 1)
    assert net_of(-amount, ppm) == -net_of(amount, ppm)
    assert line_discount(-amount, ppm) == -line_discount(amount, ppm)
    assert cash_rounding(-amount, step) == -cash_rounding(amount, step)


def test_inv_1_6_control_rounding_half_to_even_is_not_enough() -> None:
    """Python's own rounding would lose the half cents the reference asks for."""
    assert round(5 / 2) != divide(5, 2)
