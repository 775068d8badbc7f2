"""What values of AIs mean: dates with two digits for the year, and numbers whose AI tells where the point is."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, time


@dataclass(frozen=True, slots=True)
class Scaled:
    """`units` / 10 ** `places`, exactly: 1234 with 3 places is 1.234."""

    units: int
    places: int
    currency: str = ""
    """ISO 4217 numeric, where the AI carries one."""


def date_of(yymmdd: str, today: date) -> date:
    """The date meant by six digits checked before; day 00 is the last of its month.

    The century is the one that puts the year into 49 years before to 50 years after `today`'s (GS1 General
    Specifications 7.12).
    """
    short = int(yymmdd[:2])
    year = today.year - 49 + (short - today.year + 49) % 100
    month, day = int(yymmdd[2:4]), int(yymmdd[4:6])
    return date(year, month, day or monthrange(year, month)[1])


def moment_of(value: str, today: date) -> datetime:
    """Six digits of a date and two, four or six of a time, checked before. In the time zone of who wrote it."""
    hour, minute, second = (int(value[place : place + 2] or 0) for place in (6, 8, 10))
    return datetime.combine(date_of(value[:6], today), time(hour, minute, second))


def scaled_of(ai: str, value: str) -> Scaled:
    """The number of an AI from 31nn to 36nn or 390n to 395n: its last digit counts the decimal places."""
    currency = value[:3] if ai[:3] in {"391", "393"} else ""
    return Scaled(int(value.removeprefix(currency)), int(ai[3]), currency)
