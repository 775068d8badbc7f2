"""A receipt as a shop would print it, for the documentation."""

from __future__ import annotations

from pathlib import Path

from holdfast_drivers.printers.encode import encode
from holdfast_drivers.printers.interpreter import Interpreter
from holdfast_drivers.printers.paper import Receipt
from holdfast_drivers.printers.profiles import load_profile
from holdfast_drivers.printers.render import to_png
from holdfast_drivers.values import Align, Barcode, Columns, Document, Feed, Rule, Symbol, Text

SAMPLE = Document(
    (
        Text("Kelp & Co", Align.CENTRE, bold=True, big=True),
        Text("Pop-up at the Old Harbour", Align.CENTRE),
        Text("Quai des Belges 7 · 13001 Marseille", Align.CENTRE),
        Text("VAT FR 40 303265045", Align.CENTRE),
        Rule(),
        Columns("Receipt MRS-1-S000123", "Sat 14 June 2025 17:42"),
        Columns("Operator Zoé", "Till 2"),
        Rule(),
        Columns("Sea-salt caramels 150 g", "6,50 €"),
        Columns("Tote bag »Ancre«, organic cotton, hand printed in the shop", "18,00 €"),
        Columns("Power bank 10 000 mAh", "34,90 €"),
        Text("  Lithium battery: carry-on luggage only"),
        Columns("Ελαιόλαδο 0,5 l (Καλαμάτα)", "12,80 €"),
        Columns("  Two for less", "-2,00 €"),
        Columns("Bottle deposit", "0,25 €"),
        Rule(),
        Columns("TOTAL", "70,45 €", bold=True),
        Columns("Card ···· 4242, contactless", "50,45 €"),
        Columns("Cash", "20,00 €"),
        Feed(),
        Columns("VAT 20 %    in    50,90 €", "8,48 €"),
        Columns("VAT 5,5 %   in    19,30 €", "1,01 €"),
        Rule(),
        Text("Returns until 14 July with this code", Align.CENTRE),
        Barcode(Symbol.QR, "HFT1:MRS-1-S000123:" + "k3Zq7Wn2Xc9Vb5Lm" * 4, caption=False),
        Barcode(Symbol.CODE128, "HFRMRS1S000123K"),
        Text("Merci, à bientôt !", Align.CENTRE, bold=True),
    )
)


def write_sample(path: Path) -> None:
    """Print the sample on the virtual 80 mm printer and save the picture."""
    profile = load_profile("TM-T20II")
    items = Interpreter(profile.dots).feed(encode(SAMPLE, profile))
    path.write_bytes(to_png(Receipt(profile.dots, tuple(items))))
