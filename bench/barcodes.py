"""Barcodes: GS1 parses a second and what the parser weighs, beside biip where it is installed."""

from __future__ import annotations

import importlib.util
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial

from holdfast_drivers.barcodes.classify import classify
from holdfast_drivers.barcodes.gs1 import parse_element_string
from holdfast_drivers.barcodes.gs1_digital_link import parse_digital_link
from holdfast_drivers.values import Scan
from measure import Beside, Row, Run, environment

MEDICINE = "0104006381333931" + "17271231" + "10AB12\x1d" + "2112345678"
"""GTIN, expiry, lot, serial: what a DataMatrix on a box holds."""
LABEL = "0194006381333934" + "3103001250" + "3922499\x1d" + "17271231" + "10L7"
"""GTIN, weight, price, expiry, lot: a scale's GS1 DataBar."""
LINK = "https://id.gs1.org/01/04006381333931/10/AB12/21/12345678?17=271231"

GOAL = 50_000
HEAVIEST = 3.0
"""MB."""

WEIGH = """
import tracemalloc
import dataclasses, datetime, decimal, enum, pathlib, re, typing, urllib.parse
tracemalloc.start()
{load}
print(tracemalloc.get_traced_memory()[0] / 1e6)
"""
"""Megabytes that code and tables hold after the first parse; what others use of the standard library is not counted."""

OURS = f"from holdfast_drivers.barcodes.gs1 import parse_element_string; parse_element_string({MEDICINE!r})"
BIIP = f"import biip; biip.parse(']C1' + {MEDICINE!r})"


async def run(run: Run) -> list[Row]:
    """Ours and biip's: medians of rounds taken in turns."""
    rounds, calls = run.pick(9, 3), run.pick(3000, 500)
    found = []
    for what, text in (("medicine: 4 elements", MEDICINE), ("weighed goods: 5 elements", LABEL)):
        ours, theirs = _rates(rounds, calls, partial(parse_element_string, text), _biip("]C1" + text))
        found.append(_rate_row(f"GS1 element strings, {what}", ours, theirs))
    ours, theirs = _rates(rounds, calls, lambda: parse_digital_link(LINK), _biip(LINK))
    found.append(_rate_row("GS1 Digital Links, 4 elements", ours, theirs))
    ours, _ = _rates(rounds, calls, lambda: classify(Scan(MEDICINE.encode(), aim="]C1")), None)
    found.append(_rate_row("scans classified, medicine", ours, None))
    return [*found, _weight_row()]


def _rates(
    rounds: int, calls: int, ours: Callable[[], object], theirs: Callable[[], object] | None
) -> tuple[float, float | None]:
    measured: dict[Callable[[], object], list[float]] = {parse: [] for parse in (ours, theirs) if parse}
    for _ in range(rounds):
        for parse, rates in measured.items():
            start = time.perf_counter()
            for _ in range(calls):
                parse()
            rates.append(calls / (time.perf_counter() - start))
    medians = [statistics.median(rates) for rates in measured.values()]
    return medians[0], medians[1] if theirs else None


def _biip(text: str) -> Callable[[], object] | None:
    if importlib.util.find_spec("biip") is None:
        return None
    import biip

    return lambda: biip.parse(text)


def _rate_row(what: str, ours: float, theirs: float | None) -> Row:
    beside = (Beside("biip", theirs),) if theirs else ()
    return Row(what=what, value=ours, unit="/s", beside=beside, goal=f"≥ {GOAL}", met=ours >= GOAL)


def _weight_row() -> Row:
    traced = _weigh(OURS)
    beside = (Beside("biip", _weigh(BIIP)),) if importlib.util.find_spec("biip") else ()
    return Row(
        what="memory of the GS1 parser with its dictionary",
        value=traced,
        unit="MB",
        beside=beside,
        goal=f"≤ {HEAVIEST}",
        met=traced <= HEAVIEST,
        note="by tracemalloc, code included",
    )


def _weigh(load: str) -> float:
    """In a process of its own."""
    code = WEIGH.format(load=load)
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment())
    return float(told.stdout)
