"""Printers: receipts encoded a second beside python-escpos, for both languages and in dots; and read again."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import partial
from io import StringIO

from holdfast_drivers.printers import encode, star_encode
from holdfast_drivers.printers.interpreter import Interpreter
from holdfast_drivers.printers.profiles import escpos_module, load_profile
from holdfast_drivers.values import Align, Barcode, Columns, Document, Rule, Symbol, Text
from measure import Beside, Row, Run

PROFILE = load_profile("TM-T20II")
GOODS = [(f"Sea-salt caramels no. {number}, 150 g", f"{number},50 €") for number in range(1, 34)]
TICKET, NUMBER = "HFT1:MRS-1-S000123", "HFRMRS1S000123K"
RECEIPT = Document(
    (
        Text("Kelp & Co", Align.CENTRE, bold=True, big=True),
        Text("Quai des Belges 7, 13001 Marseille", Align.CENTRE),
        Rule(),
        *(Columns(left, right) for left, right in GOODS),
        Rule(),
        Columns("TOTAL", "594,00 €", bold=True),
        Text("Merci, à bientôt !", Align.CENTRE),
        Text("Returns until 14 July", Align.CENTRE),
        Barcode(Symbol.QR, TICKET, caption=False),
        Barcode(Symbol.CODE128, NUMBER),
    )
)
"""Forty lines, a QR code and a barcode."""
DRAWN = Document(tuple(Text(f"漢字 {number}") for number in range(40)))
"""Forty lines that no code page holds."""


async def run(run: Run) -> list[Row]:
    rounds = run.pick(15, 3)
    ours, theirs = rates(rounds, partial(encode.encode, RECEIPT, PROFILE), python_escpos)
    star, _ = rates(rounds, partial(star_encode.encode, RECEIPT, PROFILE), None)
    drawn, _ = rates(rounds, partial(encode.encode, DRAWN, PROFILE), None)
    job = encode.encode(RECEIPT, PROFILE)
    read, _ = rates(rounds, lambda: Interpreter(PROFILE.dots).feed(job), None)
    return [
        Row(
            what="receipts of 40 lines encoded, ESC/POS",
            value=ours,
            unit="/s",
            beside=(Beside("python-escpos' Dummy, the same text and codes", theirs),),
            note=f"{len(job)} bytes",
        ),
        Row(what="receipts of 40 lines encoded, Star", value=star, unit="/s"),
        Row(what="the same, 40 lines all drawn as dots", value=drawn, unit="/s"),
        Row(what="receipts of 40 lines read by the virtual printer", value=read, unit="/s"),
    ]


def python_escpos() -> bytes:
    printer = escpos_module("printer.dummy").Dummy(profile="TM-T20II")
    printer.set(align="center", bold=True, double_width=True, double_height=True)
    printer.text("Kelp & Co\n")
    printer.set(align="center", bold=False, normal_textsize=True)
    printer.text("Quai des Belges 7, 13001 Marseille\n")
    printer.set(align="left")
    printer.text("-" * 48 + "\n")
    for left, right in GOODS:
        printer.text(left.ljust(48 - len(right)) + right + "\n")
    printer.text("-" * 48 + "\n")
    printer.set(bold=True)
    printer.text("TOTAL".ljust(40) + "594,00 €\n")
    printer.set(align="center", bold=False)
    printer.text("Merci, à bientôt !\n")
    printer.text("Returns until 14 July\n")
    printer.qr(TICKET, size=6, native=True)
    with redirect_stdout(StringIO()):  # it tells what it does
        printer.barcode("{B" + NUMBER, "CODE128", height=80, width=3, function_type="B", check=False)
    printer.cut()
    return bytes(printer.output)


def rates(rounds: int, ours: Callable[[], object], theirs: Callable[[], object] | None) -> tuple[float, float]:
    """Calls a second, medians of rounds taken in turns."""
    found: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for times, call in zip(found, (ours, theirs), strict=True):
            if call is not None:
                call()
                began = time.perf_counter()
                for _ in range(20):
                    call()
                times.append(20 / (time.perf_counter() - began))
    return statistics.median(found[0]), statistics.median(found[1]) if found[1] else 0.0
