"""Kinds of paper that the counter queues itself; those that come with an event are `holdfast.domain.jobs`."""

from __future__ import annotations

SLIP = "slip"
"""A prompt or refusal for a counter without a screen; extra `need` or `reason`, `data`."""
PRICE = "price"
"""A price check; extra as the outcome's data."""
STATUS = "status"
"""How the hub is; extra by the labels of `words.PAPER`."""
PARKED = "parked"
"""A parked cart, with the barcode that brings it back; extra as the outcome's data."""

OWN = frozenset({SLIP, PRICE, STATUS, PARKED})
"""No event stands behind them: when nobody knows whether one is on paper, it is dropped."""
PASSING = OWN - {PARKED}
"""Of no use to anyone later: dropped after a restart and when PASSING_MS old."""
PASSING_MS = 60_000
