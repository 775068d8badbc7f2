"""How well the time left is foreseen on real batteries: table and charts of docs/power.md are true, and good."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from statistics import median

import pytest

import battery_report
from battery_report import (
    CASES,
    FIRST_CHART,
    HOUR,
    LEARNT_CHART,
    PAGE,
    TEN,
    Case,
    Judged,
    charts,
    judged,
    page_with,
    results,
    table,
)  # fmt: skip
from holdfast_drivers.ups.discharge import Discharge
from holdfast_drivers.ups.ending import Ended, concluded
from holdfast_drivers.ups.learning import Known, Pack
from real_cells import B0025, B0047, PI

WANTED = 0.15
"""The median error that was asked for."""


@pytest.fixture(scope="module")
def found() -> dict[Case, list[Judged]]:
    return results()


@pytest.mark.proof
def test_the_table_and_the_charts_in_the_page_are_those_of_this_code(
    found: dict[Case, list[Judged]], capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        print("\n" + table(found))
    assert page_with(table(found)) == PAGE.read_text(), "python tests/battery_report.py --write"
    assert charts() == {file: file.read_text() for file in (FIRST_CHART, LEARNT_CHART)}


@pytest.mark.proof
def test_the_median_error_is_what_was_asked_for(found: dict[Case, list[Judged]]) -> None:
    for case in CASES:
        ours, linear, fixed = (
            median(getattr(one, rule) for one in found[case]) for rule in ("ours", "linear", "fixed")
        )
        if not case.first or (case.file == PI and case.gauge):
            assert ours <= WANTED, case.name
        assert ours < min(linear, fixed), case.name


def case_of(file: str, after: float) -> Case:
    return next(case for case in CASES if case.file == file and case.after == after)


def test_the_first_discharges_of_a_pulsed_cell_teach_the_next() -> None:
    found = list(judged(case_of(B0025, TEN)))
    assert len(found) == 11
    assert median(one.ours for one in found) <= WANTED


def test_a_real_hubs_first_discharge_is_foreseen_with_its_gauge() -> None:
    (one,) = judged(case_of(PI, HOUR))
    assert one.ours <= WANTED < one.linear
    assert one.inside > 0.9


def test_control_without_learning_a_worn_cell_is_misjudged(monkeypatch: pytest.MonkeyPatch) -> None:
    taught = median(one.ours for one in judged(case_of(B0047, HOUR)))

    def once(discharge: Discharge, known: Known, pack: Pack, *, cut: bool) -> tuple[Ended, Known]:
        ended, taught = concluded(discharge, known, pack, cut=cut)
        return ended, known if known.finished else taught

    monkeypatch.setattr(battery_report, "concluded", once)
    stale = median(one.ours for one in judged(case_of(B0047, HOUR)))
    assert taught <= WANTED < stale, "what only the very first discharge taught"


@pytest.mark.parametrize("file", [FIRST_CHART, LEARNT_CHART])
def test_a_chart_says_in_words_what_it_shows(file: object) -> None:
    root = ET.parse(str(file)).getroot()
    words = " ".join(root.itertext())
    for told in ("really left", "holdfast", "linear", "minutes left", "time on battery, h:min", "prefers-color-scheme"):
        assert told in words
    assert root.get("aria-label")
