"""Discharges of real batteries, as samples. Their origin: drivers/data/ups/README.md."""

from __future__ import annotations

import csv
import lzma
from pathlib import Path

from holdfast_drivers.ups.discharge import Sample

DATA = Path(__file__).parent / "drivers" / "data" / "ups"
B0025, B0047, PI = "nasa_b0025.csv.xz", "nasa_b0047.csv.xz", "upsplus_ep0136.csv.xz"


def discharges(name: str) -> list[list[Sample]]:
    """Each from its first sample to the last under load."""
    found: dict[str, list[Sample]] = {}
    with lzma.open(DATA / name, "rt") as rows:
        for row in csv.DictReader(rows):
            found.setdefault(row.get("discharge", "1"), []).append(_sample(row))
    return [samples[: _loaded(samples)] for samples in found.values()]


def _sample(row: dict[str, str]) -> Sample:
    cell_mv = float(row["cell_mv"])
    drain = float(row["power_mw"]) / cell_mv * 1000 if "power_mw" in row else -float(row["current_ma"])
    gauge = float(row["gauge_percent"]) / 100 if "gauge_percent" in row else None
    return Sample(float(row["t_s"]), cell_mv, max(drain, 0.0), gauge)


def _loaded(samples: list[Sample]) -> int:
    return max(i for i, sample in enumerate(samples) if sample.drain_ma > 100) + 1
