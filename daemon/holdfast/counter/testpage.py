"""A page that shows a technician what the printer can do: text of several scripts, columns, barcode, QR, cut."""

from __future__ import annotations

from holdfast.config import Hub
from holdfast.counter.letterhead import Letterhead, Marks
from holdfast_drivers.values import Align, Barcode, Columns, Document, Image, Rule, Symbol, Text

SCRIPTS = ("Grüße, reçu, señal, łódź", "Ελληνικά · Български · Türkçe", "€ £ zł Kč")


def test_page(hub: Hub, at_ms: int, logo: Image | None) -> Document:
    """`at_ms` is UTC milliseconds."""
    paper = Letterhead(hub, logo)
    return Document(
        (
            *paper.head(Marks()),
            Text("holdfast print test", align=Align.CENTRE, bold=True),
            paper.dated(at_ms),
            Rule(),
            *(Text(line) for line in SCRIPTS),
            Columns("Left", "right"),
            Text("Big", big=True),
            Rule(),
            Barcode(Symbol.CODE128, "HOLDFAST-TEST"),
            Barcode(Symbol.QR, f"holdfast {hub.id}"),
        )
    )
