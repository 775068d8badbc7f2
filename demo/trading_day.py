"""A real trading day as work for a cashier: rows of an Online Retail file become articles and baskets.

The identity that must hold: rows rung + rows refused (by reason) + rows left out (by rule) = rows of the file, and the
same in money. This module decides what is left out, and why; the hub decides what it refuses.
"""

from __future__ import annotations

import csv
import io
import lzma
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from holdfast_drivers.barcodes.gtin import with_check_digit

DATA = Path(__file__).parent / "data" / "online_retail_days.csv.xz"
COLUMNS = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice")
SERVICES = frozenset({"POST", "DOT", "M", "D", "S", "C2", "B", "BANK CHARGES", "AMAZONFEE", "CRUK", "PADS", "TEST"})
GS1_DEMO_PREFIX = "952"
"""GS1 prefix for demonstrations and examples (GS1 General Specifications, table of GS1 prefixes)."""
MAX_ROWS = 1_000_000
MAX_QUANTITY = 100_000
"""Of a row; ten such rows in a line are what a hub takes."""
MAX_CODE, MAX_NAME = 26, 120
"""Characters. A hub takes 40 for a sku, which may have a price behind the code."""


class DataError(ValueError):
    """The file cannot be used; the message says which line and why."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the file, read exactly."""

    invoice: str
    code: str
    name: str
    quantity: int
    at: datetime
    pence: int | None
    """Unit price; None when it is not in whole pence."""
    text_price: str

    @property
    def value(self) -> int:
        """Minor units; 0 when the price is not in whole pence."""
        return self.quantity * (self.pence or 0)


@dataclass(frozen=True, slots=True)
class Article:
    """A stock code at one price: what a shop would give a barcode of its own."""

    sku: str
    """The original code; the second and further prices of a code add `@pence`."""
    gtin: str
    """EAN-13, 13 digits."""
    name: str
    pence: int


@dataclass(frozen=True, slots=True)
class Line:
    """What the cashier rings in one go: rows of one article that follow each other."""

    article: Article
    quantity: int
    rows: int


@dataclass(frozen=True, slots=True)
class Basket:
    invoice: str
    at: datetime
    lines: tuple[Line, ...]

    @property
    def rows(self) -> int:
        return sum(line.rows for line in self.lines)

    @property
    def total(self) -> int:
        return sum(line.quantity * line.article.pence for line in self.lines)


@dataclass(frozen=True, slots=True)
class Day:
    date: str
    baskets: tuple[Basket, ...]
    articles: tuple[Article, ...]
    rows: int
    value: int
    """Minor units of all rows with a price in whole pence."""
    left_out: Counter[str] = field(default_factory=Counter)
    """Rows by rule."""
    left_out_value: Counter[str] = field(default_factory=Counter)


Fits = Callable[[Sequence[Row]], bool]
"""Whether an invoice, given the rows of it that are work, is to be rung."""


def read_rows(path: Path) -> Iterator[Row]:
    """Rows of a CSV or CSV.xz file. Raises DataError, OSError."""
    forms = _forms(line["InvoiceDate"] or "" for line in _lines_of(path))
    for number, line in enumerate(_lines_of(path), start=2):
        if number > MAX_ROWS:
            raise DataError(f"{path.name}: more than {MAX_ROWS} rows")
        yield _row(line, forms, f"{path.name} line {number}")


def _lines_of(path: Path) -> Iterator[dict[str, str]]:
    opened = lzma.open if path.suffix == ".xz" else open
    with opened(path, "rt", encoding="utf-8-sig", errors="replace", newline="") as text:
        reader = csv.DictReader(text)
        missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
        if missing:
            raise DataError(f"{path.name}: no column {', '.join(missing)}")
        yield from reader


def _forms(dates: Iterable[str]) -> tuple[str, ...]:
    """How this file writes its dates. With slashes the first date past the 12th tells whether month or day leads."""
    for text in dates:
        if "/" not in text:
            return ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M")
        first, second = text.split("/")[:2]
        if second.isdecimal() and int(second) > 12:
            return ("%m/%d/%Y %H:%M",)
        if first.strip().isdecimal() and int(first) > 12:
            break
    return ("%d/%m/%Y %H:%M",)


def _row(line: dict[str, str], forms: Iterable[str], where: str) -> Row:
    try:
        return Row(
            invoice=line["InvoiceNo"].strip(),
            code=line["StockCode"].strip(),
            name=_printable(line["Description"])[:MAX_NAME],
            quantity=_whole(line["Quantity"]),
            at=_moment(line["InvoiceDate"], forms),
            pence=_pence(line["UnitPrice"]),
            text_price=line["UnitPrice"],
        )
    except (ValueError, AttributeError, TypeError) as error:
        raise DataError(f"{where}: {error}") from error


def _whole(text: str) -> int:
    return int(re.sub(r"\.0*$", "", text.strip()))


def _printable(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _moment(text: str, forms: Iterable[str]) -> datetime:
    for form in forms:
        try:
            return datetime.strptime(text.strip(), form)  # noqa: DTZ007 - the file has no zone; the hub's is used
        except ValueError:
            continue
    raise ValueError(f"not a date: {text!r}")


def _pence(text: str) -> int | None:
    """Minor units from decimal text, without a float; None for more than two decimals."""
    match = re.fullmatch(r"(-?)(\d+)(?:\.(\d*?)0*)?", text.strip())
    if match is None:
        raise ValueError(f"not a price: {text!r}")
    sign, whole, fraction = match[1], match[2], match[3] or ""
    if len(fraction) > 2:
        return None
    pence = int(whole) * 100 + int(fraction.ljust(2, "0"))
    return -pence if sign else pence


def rule_out(row: Row) -> str | None:
    """Why a row is not work for this hub, None when it is."""
    return next((name for name, applies in RULES if applies(row)), None)


RULES: tuple[tuple[str, Callable[[Row], bool]], ...] = (
    ("return", lambda row: row.invoice.upper().startswith("C")),
    ("service", lambda row: row.code.upper() in SERVICES or row.code.lower().startswith("gift_")),
    ("code_unusable", lambda row: not 0 < len(row.code) <= MAX_CODE or row.code != _printable(row.code)),
    ("write_off", lambda row: row.quantity <= 0),
    ("quantity_too_large", lambda row: row.quantity > MAX_QUANTITY),
    ("price_not_in_pence", lambda row: row.pence is None),
    ("adjustment", lambda row: row.pence is not None and row.pence < 0),
)
"""The first that applies counts."""


def days(rows: Iterable[Row]) -> Counter[str]:
    """Dates of a file and how many rows each has."""
    return Counter(f"{row.at:%Y-%m-%d}" for row in rows)


def plan(rows: Iterable[Row], date: str, *, baskets: int | None = None, fits: Fits = lambda _: True) -> Day:
    """The work of one date. Only so many `baskets` are kept, the first of those that fit; the rows of the others count
    as left out (`not_played`). Raises DataError when nothing was sold then.
    """
    today = [row for row in rows if f"{row.at:%Y-%m-%d}" == date]
    if not today:
        raise DataError(f"no rows on {date}")
    left_out: Counter[str] = Counter()
    left_out_value: Counter[str] = Counter()
    work: list[Row] = []
    played = _played(today, baskets, fits)
    for row in today:
        rule = rule_out(row) or (None if row.invoice in played else "not_played")
        if rule is None:
            work.append(row)
        else:
            left_out[rule] += 1
            left_out_value[rule] += row.value
    if not work:
        raise DataError(f"nothing was sold on {date}")
    articles = _articles(work)
    return Day(
        date=date,
        baskets=tuple(_baskets(work, articles)),
        articles=tuple(articles.values()),
        rows=len(today),
        value=sum(row.value for row in today),
        left_out=left_out,
        left_out_value=left_out_value,
    )


def _played(rows: list[Row], baskets: int | None, fits: Fits) -> frozenset[str]:
    """The invoices that are rung, in order of the file."""
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        if rule_out(row) is None:
            grouped.setdefault(row.invoice, []).append(row)
    return frozenset([invoice for invoice, its_rows in grouped.items() if fits(its_rows)][:baskets])


def _articles(rows: list[Row]) -> dict[tuple[str, int], Article]:
    """One article for each code and price; the price seen most keeps the bare code."""
    seen: dict[str, Counter[int]] = {}
    names: dict[str, str] = {}
    for row in rows:
        assert row.pence is not None
        seen.setdefault(row.code, Counter())[row.pence] += 1
        if row.name:
            names.setdefault(row.code, row.name)
    articles: dict[tuple[str, int], Article] = {}
    for code in sorted(seen):
        for rank, (pence, _) in enumerate(sorted(seen[code].items(), key=lambda item: (-item[1], item[0]))):
            sku = code if rank == 0 else f"{code}@{pence}"
            gtin = with_check_digit(GS1_DEMO_PREFIX + f"{len(articles) + 1:09d}")
            articles[code, pence] = Article(sku, gtin, names.get(code, code), pence)
    return articles


def _baskets(rows: list[Row], articles: dict[tuple[str, int], Article]) -> Iterator[Basket]:
    """Invoices in order of time, then of the file."""
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        grouped.setdefault(row.invoice, []).append(row)
    for invoice, lines in sorted(grouped.items(), key=lambda item: item[1][0].at):
        yield Basket(invoice, lines[0].at, tuple(_lines(lines, articles)))


def _lines(rows: list[Row], articles: dict[tuple[str, int], Article]) -> Iterator[Line]:
    """Rows of one article in a row are one line: a second scan adds to the line before it."""
    current: Line | None = None
    for row in rows:
        assert row.pence is not None
        article = articles[row.code, row.pence]
        if current is not None and current.article == article:
            current = Line(article, current.quantity + row.quantity, current.rows + 1)
            continue
        if current is not None:
            yield current
        current = Line(article, row.quantity, 1)
    if current is not None:
        yield current


def catalogue_csv(day: Day, *, tax_rate: str = "20") -> str:
    """The day's articles as a catalogue file. An article at price zero has an empty price: the hub refuses it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["sku", "gtin", "name", "price", "tax_category", "tax_rate", "aliases"])
    for article in day.articles:
        price = f"{article.pence // 100}.{article.pence % 100:02d}"
        writer.writerow([article.sku, article.gtin, article.name, price, "S", tax_rate, article.sku])
    return out.getvalue()


def expected_stock(day: Day) -> Counter[str]:
    """Units each sku will sell, zero-price articles aside."""
    sold: Counter[str] = Counter()
    for basket in day.baskets:
        for line in basket.lines:
            if line.article.pence:
                sold[line.article.sku] += line.quantity
    return sold
