"""Drawer and shift events."""

from __future__ import annotations

import msgspec
from msgspec import field

from holdfast_contract.body import Body, Posting
from holdfast_contract.sale import TaxGroup


class ShiftOpened(Posting, frozen=True):
    """The subject is the shift number, e.g. `s3`."""

    float_in: int = field(name="f")
    day: int = field(name="d")


class DrawerMoved(Posting, frozen=True):
    """Money moved by hand. The subject is the shift."""

    kind: str = field(name="k")
    """`pay_in`, `pay_out`, `safe_drop`, `no_sale`."""
    amount: int = field(default=0, name="a")
    why: str = field(default="", name="w")


class Totals(msgspec.Struct, frozen=True, array_like=True):
    """What an X shows and a Z fixes. Minor units."""

    documents: int
    gross: int
    groups: tuple[TaxGroup, ...]
    cash_sales: int
    rounding: int
    pay_in: int
    pay_out: int
    safe_drop: int
    no_sale: int
    voids: int
    """Abandoned carts."""
    voided_amount: int
    training: int
    first: int
    """First receipt number, 0 when none."""
    last: int
    float_in: int


class ShiftClosed(Posting, frozen=True):
    """The Z report. Posts book over/short and empty the drawer to the safe."""

    number: int = field(name="n")
    """Z number, gapless."""
    day: int = field(name="d")
    totals: Totals = field(name="t")
    expected: int = field(name="e")
    counted: int = field(name="c")
    grand_total: int = field(name="g")
    """Gross of all shifts so far (INV-4.5)."""
    head: bytes = field(name="h")
    """Hash of the journal just before this record."""
    why: str = field(default="", name="w")


class PaperOutcomeUnknown(Body, frozen=True):
    """A print job may or may not be on paper; a person must look. The subject is the job id."""

    kind: str = field(name="k")
    ref: int = field(name="r")
    """Seq of the event the paper is about."""
    why: str = field(default="", name="w")


class Reprinted(Body, frozen=True):
    """A COPY was asked for. The subject is the document's printed number."""

    ref: int = field(name="r")
    copy: int = field(name="c")
