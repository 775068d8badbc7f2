"""How amounts, rates and times read on paper. Integers only."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from holdfast.counter.language import Language

_SEPARATORS: dict[Language, tuple[str, str]] = {"en": (",", "."), "de": (".", ","), "fr": (" ", ",")}
"""Between thousands, before the fraction."""
_PERCENT = 10_000
"""Parts per million in one percent."""


def money(amount: int, exponent: int, language: Language) -> str:
    """Minor units as people write them, without the currency: `-1,234.50`."""
    whole, fraction = divmod(abs(amount), 10**exponent)
    thousands, point = _SEPARATORS[language]
    text = f"{whole:,}".replace(",", thousands)
    if exponent:
        text += f"{point}{fraction:0{exponent}}"
    return f"-{text}" if amount < 0 else text


def weight(grams: int, language: Language) -> str:
    """Kilograms to the gram: `0.252 kg`."""
    return f"{money(grams, 3, language)} kg"


def percent(ppm: int, language: Language) -> str:
    """A rate in parts per million: `19 %`, `5.5 %`."""
    whole, fraction = divmod(ppm, _PERCENT)
    decimals = f"{fraction:04}".rstrip("0")
    return f"{whole}{_SEPARATORS[language][1] + decimals if decimals else ''} %"


def local(at_ms: int, zone: ZoneInfo) -> datetime:
    """UTC milliseconds on the wall of the shop, to the second."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(zone)


def day(number: int) -> str:
    """A business date, from days since 1970-01-01."""
    return (date(1970, 1, 1) + timedelta(days=number)).isoformat()
