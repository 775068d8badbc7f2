"""What the syntax dictionary calls linters: small pure rules over one component of an AI's value, in one table by name.

A linter gives the offset of what is wrong, or None. It is called with at least one character, after the linter of the
component's character set, and need not repeat what that one found.
"""

from __future__ import annotations

import re
from calendar import isleap
from collections.abc import Callable, Collection
from math import isqrt
from string import ascii_letters, ascii_uppercase, digits

from holdfast_drivers.barcodes.gs1_codelists import COUNTRIES, COUNTRIES_ALPHA2, CURRENCIES, PACKAGE_TYPES

Linter = Callable[[str], int | None]

_CSET_82 = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
_CSET_64 = digits + ascii_letters + "-_"
_CSET_39 = digits + ascii_uppercase + "#-/"
_CSET_32 = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_PRIMES = tuple(n for n in range(2, 512) if all(n % divisor for divisor in range(2, isqrt(n) + 1)))
_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_MMDD = frozenset(f"{month:02}{day:02}" for month, last in enumerate(_DAYS, 1) for day in range(1, last + 1))
"""Days that every year has."""

_ZERO = ord("0")
_GCP = 4
"""Digits of the shortest GS1 company prefix."""


def _only(allowed: Collection[str]) -> Linter:
    """Every character is one of these."""
    allowed = frozenset(allowed)

    def lint(value: str) -> int | None:
        if allowed.issuperset(value):
            return None
        return next(place for place, character in enumerate(value) if character not in allowed)

    return lint


_digits = _only(digits)
_base64 = _only(_CSET_64)


def _one_of(codes: Collection[str]) -> Linter:
    """The whole is one of these."""
    return lambda value: None if value in codes else 0


def _at_most(limit: int) -> Linter:
    return lambda value: None if int(value) <= limit else 0


def _like(pattern: str) -> Linter:
    whole = re.compile(pattern)
    return lambda value: None if whole.fullmatch(value) else 0


def _csetnumeric(value: str) -> int | None:
    return None if value.isdigit() and value.isascii() else _digits(value)


def _cset64(value: str) -> int | None:
    """Base64 for URLs; padded, if at all, to a multiple of three."""
    data = value.rstrip("=")
    padding = len(value) - len(data)
    if padding > 2 or (padding and len(value) % 3):
        return len(data)
    return _base64(data)


def _csum(value: str) -> int | None:
    """Weights 1 and 3 from the right, the check digit among them, make a multiple of ten."""
    codes = value.encode()
    ones, threes = codes[::-2], codes[-2::-2]
    total = sum(ones) + 3 * sum(threes) - _ZERO * (len(ones) + 3 * len(threes))
    return len(value) - 1 if total % 10 else None


def _csumalpha(value: str) -> int | None:
    """Two check characters: values in CSET 82 by growing primes from the right, modulo 1021, five bits each."""
    body = value[:-2]
    total = sum(_CSET_82.index(character) * prime for character, prime in zip(reversed(body), _PRIMES, strict=False))
    high, low = divmod(total % 1021, len(_CSET_32))
    return None if value[-2:] == _CSET_32[high] + _CSET_32[low] else len(body)


def _gcppos1(value: str) -> int | None:
    """A company prefix in front. Which prefixes are issued is not known here."""
    prefix = value[:_GCP]
    return _csetnumeric(prefix) if len(prefix) == _GCP else 0


def _gcppos2(value: str) -> int | None:
    at = _gcppos1(value[1:])
    return None if at is None else at + 1


def _date(value: str, *, day_0: bool) -> int | None:
    """Year in two or four digits, month, day. Of two digits 00 counts as 2000, a leap year."""
    if value[-4:] in _MMDD:
        return None
    year, month, day = int(value[:-4]), int(value[-4:-2]), int(value[-2:])
    if not 1 <= month <= 12:
        return len(value) - 4
    longest = 29 if month == 2 and isleap(year) else _DAYS[month - 1]
    return None if (0 if day_0 else 1) <= day <= longest else len(value) - 2


def _yymmdd(value: str) -> int | None:
    return _date(value, day_0=False)


def _yymmd0(value: str) -> int | None:
    return _date(value, day_0=True)


def _hhmi(value: str) -> int | None:
    if int(value[:2]) > 23:
        return 0
    return None if int(value[2:]) <= 59 else 2


def _iban(value: str) -> int | None:
    """ISO 13616: country, MOD 97-10 over the whole."""
    if not 10 < len(value) <= 34 or value[:2] not in COUNTRIES_ALPHA2:
        return 0
    outside = _only(digits + ascii_uppercase)(value)
    if outside is not None:
        return outside
    number = "".join(str(int(character, 36)) for character in value[4:] + value[:4])
    return None if int(number) % 97 == 1 else 2


def _pcenc(value: str) -> int | None:
    wrong = re.search(r"%(?![0-9A-Fa-f]{2})", value)
    return wrong.start() if wrong else None


def _pieceoftotal(value: str) -> int | None:
    half = len(value) // 2
    return None if 1 <= int(value[:half]) <= int(value[half:]) else 0


def _posinseqslash(value: str) -> int | None:
    pair = re.fullmatch(r"([1-9][0-9]*)/([1-9][0-9]*)", value)
    return None if pair and int(pair[1]) <= int(pair[2]) else 0


def _sized(lengths: str, plus: int = 0) -> str:
    """A digit that tells how many follow, and these."""
    return "(?:" + "|".join(f"{size}[0-9]{{{int(size) + plus}}}" for size in lengths) + ")"


_COUPON_GCP = _sized("0123456", 6)
_PURCHASE = _sized("12345") + "[0-49][0-9]{3}"
"""A purchase required: its value, its kind, its family code."""

_COUPON = re.compile(
    rf"{_COUPON_GCP}[0-9]{{6}}{_sized('12345')}{_PURCHASE}"
    rf"(?:1[0-3]{_PURCHASE}(?:{_COUPON_GCP}|9))?"
    rf"(?:2{_PURCHASE}(?:{_COUPON_GCP}|9))?"
    r"(?:3(?P<expires>[0-9]{6}))?"
    r"(?:4(?P<starts>[0-9]{6}))?"
    rf"(?:5{_sized(digits, 6)})?"
    rf"(?:6{_sized('1234567', 6)})?"
    r"(?:9[01256][0-2][0-9][01])?"
)
"""North American coupon: company, offer, saving, purchases, dates, serial, retailer, flags. Each optional field begins
with its own digit, so there is one way to read it."""


def _couponcode(value: str) -> int | None:
    coupon = _COUPON.fullmatch(value)
    if coupon is None:
        return 0
    for field in ("expires", "starts"):
        if coupon[field] and _yymmdd(coupon[field]) is not None:
            return coupon.start(field)
    if coupon["expires"] and coupon["starts"] and coupon["starts"] > coupon["expires"]:
        return coupon.start("starts")
    return None


LINTERS: dict[str, Linter] = {
    "csetnumeric": _csetnumeric,
    "cset82": _only(_CSET_82),
    "cset39": _only(_CSET_39),
    "cset64": _cset64,
    "couponcode": _couponcode,
    "couponposoffer": _like(rf"[01]{_COUPON_GCP}[0-9]{{6}}{_sized(digits, 6)}"),
    "csum": _csum,
    "csumalpha": _csumalpha,
    "gcppos1": _gcppos1,
    "gcppos2": _gcppos2,
    "hasnondigit": lambda value: 0 if value.isdigit() else None,
    "hh": _at_most(23),
    "hhmi": _hhmi,
    "hyphen": _only("-"),
    "iban": _iban,
    "importeridx": _base64,
    "iso3166": _one_of(COUNTRIES),
    "iso3166999": _one_of(COUNTRIES | {"999"}),
    "iso3166alpha2": _one_of(COUNTRIES_ALPHA2),
    "iso4217": _one_of(CURRENCIES),
    "iso5218": _one_of("0129"),
    "latitude": _at_most(180_0000000),
    "longitude": _at_most(360_0000000),
    "mediatype": _one_of({f"{code:02}" for code in (*range(1, 11), *range(80, 100))}),
    "mi": _at_most(59),
    "nonzero": lambda value: None if value.strip("0") else 0,
    "nozeroprefix": lambda value: 0 if value.startswith("0") else None,
    "packagetype": _one_of(PACKAGE_TYPES),
    "pcenc": _pcenc,
    "pieceoftotal": _pieceoftotal,
    "posinseqslash": _posinseqslash,
    "ss": _at_most(59),
    "winding": _one_of("019"),
    "yesno": _one_of("01"),
    "yymmd0": _yymmd0,
    "yymmdd": _yymmdd,
    "yyyymmdd": _yymmdd,
    "zero": _only("0"),
}
