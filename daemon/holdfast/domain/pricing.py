"""Money arithmetic in integers: rounding, shares, discounts, tax groups.

Every function is odd: negating its input negates its output (INV-1.6).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from holdfast_contract.sale import TaxGroup

MILLION = 1_000_000
"""Rates are parts per million."""


class Line(NamedTuple):
    """A line to be priced: its amount after discount, tax included, in minor units."""

    amount: int
    category: str
    ppm: int
    merchant: str


class Priced(NamedTuple):
    """A document: its amount, its tax groups, and who earned what."""

    payable: int
    groups: tuple[TaxGroup, ...]
    group_of: tuple[int, ...]
    """Index of each line's group."""
    revenue: dict[str, int]
    """Net by merchant; sums to the groups' net exactly (INV-3.8)."""


def divide(numerator: int, denominator: int) -> int:
    """Quotient by a positive denominator, rounded half away from zero."""
    quotient, rest = divmod(abs(numerator), denominator)
    quotient += rest * 2 >= denominator
    return quotient if numerator >= 0 else -quotient


def spread(total: int, weights: Sequence[int]) -> list[int]:
    """`total` shared by weights of one sign, largest remainder first, ties to the lower index; sums to `total`.

    Raises ValueError when there is something to share and nothing to share it by.
    """
    whole = abs(sum(weights))
    if not whole:
        if total:
            raise ValueError("no weight to spread an amount over")
        return [0] * len(weights)
    parts = [divmod(abs(total) * abs(weight), whole) for weight in weights]
    shares = [share for share, _ in parts]
    left = abs(total) - sum(shares)
    for index in sorted(range(len(parts)), key=lambda i: -parts[i][1])[:left]:
        shares[index] += 1
    return shares if total >= 0 else [-share for share in shares]


def line_gross(price: int, qty: int, base: int) -> int:
    """A line before its discount: `price` is for `base` of `qty` (EN 16931 BT-146, BT-149)."""
    return divide(price * qty, base)


def line_discount(amount: int, ppm: int) -> int:
    """What a percentage takes off a line; 0 to the whole amount for 0 to a million."""
    return divide(amount * ppm, MILLION)


def cash_rounding(amount: int, step: int) -> int:
    """What to add to `amount` to reach the nearest multiple of `step` (EN 16931 BT-114)."""
    return divide(amount, step) * step - amount


def net_of(gross: int, ppm: int) -> int:
    """Net of a tax-included group."""
    return divide(gross * MILLION, MILLION + ppm)


def price(lines: Sequence[Line]) -> Priced:
    """Group by (category, rate) in order of appearance, tax each group once, share each group's net over its lines."""
    index: dict[tuple[str, int], int] = {}
    group_of = tuple(index.setdefault((line.category, line.ppm), len(index)) for line in lines)
    groups: list[TaxGroup] = []
    revenue: dict[str, int] = {}
    for position, (category, ppm) in enumerate(index):
        members = [line for line, group in zip(lines, group_of, strict=True) if group == position]
        amounts = [line.amount for line in members]
        gross = sum(amounts)
        net = net_of(gross, ppm)
        groups.append(TaxGroup(category, ppm, net, gross - net))
        for line, share in zip(members, spread(net, amounts), strict=True):
            revenue[line.merchant] = revenue.get(line.merchant, 0) + share
    return Priced(sum(line.amount for line in lines), tuple(groups), group_of, revenue)
