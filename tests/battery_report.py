"""How well the time left is foreseen on real batteries, as a table and as two charts in docs/power.md.

python tests/battery_report.py          the table
python tests/battery_report.py --write  the table into docs/power.md, the charts beside it
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

from battery_chart import Band, Chart, Line, Mark, drawn
from holdfast_drivers.ups.discharge import Discharge, Sample
from holdfast_drivers.ups.ending import concluded
from holdfast_drivers.ups.learning import Known, Left, Pack, left, median_error
from real_cells import B0025, B0047, PI, discharges

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "power.md"
BEGIN, END = "<!-- table of errors: python tests/battery_report.py --write -->\n", "<!-- end of the table -->\n"
FIRST_CHART, LEARNT_CHART = DOCS / "battery-first.svg", DOCS / "battery-learnt.svg"

HOUR, TEN = 3600.0, 600.0
ENDING = 5
"""Minutes before the end in which a relative error says nothing."""
NASA_MWH, HUB_MWH = 7400.0, 20_000.0
"""What the label of NASA's cells promises (2 Ah at 3.7 V), and the configuration's default for a pack."""
LOADED_MA = 100

LOW_MV, HIGH_MV, LOW_SHARE, LOW_SECONDS = 3000, 4250, 0.15, 60
"""drivers/hwmon_ina219.c of NUT: charge linear between these voltages, LB and a runtime of 60 s from 15 % on."""
PIJUICE_LOW = 0.25
"""drivers/pijuice.c of NUT: LB from 25 % of the gauge on, no runtime."""

Rule = Callable[[Sample, float], float]


@dataclass(frozen=True)
class Case:
    """One line of the table."""

    name: str
    file: str
    label_mwh: float
    cutoff_mv: float
    """As the hub would be configured."""
    after: float
    """Seconds on battery from which it is judged."""
    celsius: float | None = None
    gauge: bool = True
    first: bool = False
    """Every discharge is judged as if it were the battery's first."""

    @property
    def pack(self) -> Pack:
        return Pack(self.label_mwh, self.cutoff_mv)


CASES = (
    Case("NASA B0047, 1 A at 4 °C, after 1 h", B0047, NASA_MWH, 2500, HOUR, 4.0),
    Case("NASA B0047, after 10 min", B0047, NASA_MWH, 2500, TEN, 4.0),
    Case("NASA B0025, 4 A pulses, after 10 min", B0025, NASA_MWH, 2000, TEN, 24.0),
    Case("Raspberry Pi 4 on UPSPlus, its first, after 1 h", PI, HUB_MWH, 3200, HOUR, first=True),
    Case("the same without its gauge", PI, HUB_MWH, 3200, HOUR, gauge=False, first=True),
    Case("NASA B0047, each as if its first, after 1 h", B0047, NASA_MWH, 2500, HOUR, 4.0, first=True),
    Case("NASA B0025, each as if its first, after 10 min", B0025, NASA_MWH, 2000, TEN, 24.0, first=True),
)


@dataclass
class Judged:
    """One discharge under every rule."""

    ours: float
    linear: float
    fixed: float
    inside: float
    """Share of the moments at which the truth lay within our half-width."""
    ina219: float | None
    """Minutes truly left when NUT's driver says LB; None: it never does."""
    pijuice: float | None


@dataclass
class Course:
    """One discharge as it was foreseen, moment by moment, for a chart: (minutes, minutes left)."""

    truth: list[tuple[float, float]] = field(default_factory=list)
    ours: list[tuple[float, float]] = field(default_factory=list)
    band: list[tuple[float, float, float]] = field(default_factory=list)
    linear: list[tuple[float, float]] = field(default_factory=list)


def linear(sample: Sample, label_mwh: float) -> float:
    """The charge NUT's driver reckons, times the capacity on the label, over the present load."""
    return _linear_share(sample) * label_mwh / (sample.cell_mv * sample.drain_ma / 1000) * 60


def _linear_share(sample: Sample) -> float:
    return min(max((sample.cell_mv - LOW_MV) / (HIGH_MV - LOW_MV), 0), 1)


def judged(case: Case) -> Iterator[Judged]:
    """Every discharge of a case that is long enough, by what was learnt from those before it alone."""
    for samples, known in _courses(case):
        if found := _judge(case, samples, known):
            yield found


def _courses(case: Case) -> Iterator[tuple[list[Sample], Known]]:
    """The discharges of a case, each with what the earlier ones taught; the first only where it is asked for."""
    known = Known()
    for samples in discharges(case.file):
        seen = samples if case.gauge else [replace(sample, charge=None) for sample in samples]
        if case.first or known.finished:
            yield seen, Known() if case.first else known
        now = Discharge(celsius=case.celsius)
        for sample in seen:
            now.add(sample)
        _, known = concluded(now, known, case.pack, cut=True)


def _judge(case: Case, samples: list[Sample], known: Known) -> Judged | None:
    mean_mw = sum(s.cell_mv * s.drain_ma / 1000 for s in samples) / len(samples)
    pairs: tuple[list[tuple[float, float]], ...] = ([], [], [])
    inside = 0
    for sample, elapsed, truth, found in _moments(case, samples, known):
        if elapsed < case.after or truth < ENDING or found is None:
            continue
        fixed = max(case.label_mwh / mean_mw * 60 - elapsed / 60, 0)
        for column, said in zip(pairs, (found.minutes, linear(sample, case.label_mwh), fixed), strict=True):
            column.append((said, truth))
        inside += abs(found.minutes - truth) <= found.minutes_within
    if not pairs[0]:
        return None
    errors = [median_error(column) for column in pairs]
    return Judged(*errors, inside / len(pairs[0]), _warned(samples, _is_low_ina219), _warned(samples, _is_low_pijuice))


def _moments(case: Case, samples: list[Sample], known: Known) -> Iterator[tuple[Sample, float, float, Left | None]]:
    """Under load: sample, seconds since the start, minutes truly left, what we say."""
    now = Discharge(celsius=case.celsius)
    for sample in samples:
        now.add(sample)
        if sample.drain_ma >= LOADED_MA:
            truth = (samples[-1].at - sample.at) / 60
            yield sample, sample.at - samples[0].at, truth, left(now, known, case.pack)


def _warned(samples: list[Sample], is_low: Callable[[Sample], bool]) -> float | None:
    return next(((samples[-1].at - s.at) / 60 for s in samples if s.drain_ma >= LOADED_MA and is_low(s)), None)


def _is_low_ina219(sample: Sample) -> bool:
    return _linear_share(sample) <= LOW_SHARE


def _is_low_pijuice(sample: Sample) -> bool:
    return sample.charge is not None and sample.charge <= PIJUICE_LOW


def table(results: dict[Case, list[Judged]]) -> str:
    """In Markdown."""
    head = "| | n | ours | truth within our ± | linear | fixed | `hwmon_ina219`: LB | `pijuice`: LB |"
    rows = [head, "|---|--:|--:|--:|--:|--:|--:|--:|"]
    for case, found in results.items():
        errors = [_errors([getattr(one, rule) for one in found]) for rule in ("ours", "linear", "fixed")]
        inside = f"{100 * median(one.inside for one in found):.0f} %"
        warned = [_minutes([getattr(one, driver) for one in found]) for driver in ("ina219", "pijuice")]
        rows.append(f"| {case.name} | {len(found)} | {errors[0]} | {inside} | {' | '.join(errors[1:] + warned)} |")
    return "\n".join(rows) + "\n"


def _errors(values: Sequence[float]) -> str:
    return f"{100 * median(values):.1f} ({100 * max(values):.1f})"


def _minutes(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "never"
    spread = f" ({min(known):.0f} to {max(known):.0f})" if len(known) > 1 else ""
    return f"{median(known):.0f} min{spread}"


def results() -> dict[Case, list[Judged]]:
    return {case: list(judged(case)) for case in CASES}


def course(case: Case, number: int) -> Course:
    """The discharge of that number among those of a case."""
    samples, known = list(_courses(case))[number]
    made, due = Course(), 0.0
    for sample, elapsed, truth, found in _moments(case, samples, known):
        if elapsed < due:
            continue
        due, minute = elapsed + 30, elapsed / 60
        made.truth.append((minute, truth))
        made.linear.append((minute, linear(sample, case.label_mwh)))
        if found is not None and elapsed >= 60:
            made.ours.append((minute, found.minutes))
            within = found.minutes_within
            made.band.append((minute, max(found.minutes - within, 0), found.minutes + within))
    made.truth.append((made.truth[-1][0] + made.truth[-1][1], 0.0))
    return made


def chart(case: Case, number: int, *, title: str, subtitle: str) -> Chart:
    samples, _ = list(_courses(case))[number]
    seen, marks = course(case, number), []
    for name, is_low in (("hwmon_ina219: LB, “60 s”", _is_low_ina219), ("pijuice: LB", _is_low_pijuice)):
        if (minutes := _warned(samples, is_low)) is not None and minutes > 0:
            marks.append(Mark(f"{name}, {minutes:.0f} min before the end", seen.truth[-1][0] - minutes, minutes))
    lines = (
        Line("really left", "truth", seen.truth),
        Line("holdfast, and its ±", "ours", seen.ours),
        Line("linear by voltage, times label", "other", seen.linear),
    )
    return Chart(title, subtitle, lines, Band("ours", seen.band), tuple(marks))


def charts() -> dict[Path, str]:
    """What is drawn, by file."""
    first = chart(
        CASES[3],
        0,
        title="A first discharge: Raspberry Pi 4 on a GeeekPi UPSPlus",
        subtitle="nothing learnt yet; judged by label, published curves and the board's gauge",
    )
    learnt = chart(
        CASES[0],
        39,
        title="The 41st discharge of NASA's cell B0047, 1 A at 4 °C",
        subtitle="judged by what its three earlier discharges taught; worn to two thirds of its label",
    )
    return {FIRST_CHART: drawn(first), LEARNT_CHART: drawn(learnt)}


def page_with(found: str) -> str:
    """docs/power.md with this table in it."""
    before, rest = PAGE.read_text().split(BEGIN)
    return before + BEGIN + found + END + rest.split(END)[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    found = table(results())
    if parser.parse_args().write:
        PAGE.write_text(page_with(found))
        for file, text in charts().items():
            file.write_text(text)
    print(found)


if __name__ == "__main__":
    main()
