"""The demonstration itself, in its short form: every episode, every book compared."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

DEMO = Path(__file__).parents[2] / "demo"


@pytest.mark.proof
@pytest.mark.parametrize(("date", "seed"), [("2011-01-26", 1), ("2011-01-18", 2)])
def test_a_short_day_ends_with_all_books_equal(tmp_path: Path, date: str, seed: int) -> None:
    argv = [sys.executable, str(DEMO), "--fast", "--day", date, "--seed", str(seed)]
    run = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=110, check=False)
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-2000:]
    out = tmp_path / "out" / f"demo-{date}"
    report = json.loads((out / "report.json").read_text())
    assert report["ok"]
    assert all(check["ok"] for check in report["checks"])
    assert len(list((out / "receipts").glob("*.png"))) == report["receipts"]["papers in all"]
    assert not (out / "hub").exists()


@pytest.mark.proof
@pytest.mark.timeout(400)
def test_the_whole_day_goes_through_every_stage_of_power(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, str(DEMO)], cwd=tmp_path, capture_output=True, text=True, timeout=380, check=False
    )
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-2000:]
    report = json.loads((tmp_path / "out" / "demo-2011-01-26" / "report.json").read_text())
    assert report["run"]["stages"] == [1, 2, 3, 4, 0]


def test_a_day_the_file_has_not_is_told(tmp_path: Path) -> None:
    argv = [sys.executable, str(DEMO), "--day", "1999-01-01"]
    run = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (run.returncode, run.stdout.strip()) == (2, "no rows on 1999-01-01")


def test_days_are_listed(tmp_path: Path) -> None:
    argv = [sys.executable, str(DEMO), "--list-days"]
    run = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert run.stdout.splitlines()[0] == "2010-12-06  3878 rows"
