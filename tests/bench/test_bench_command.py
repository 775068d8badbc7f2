"""`python bench` as people call it: what it lists, what it measures, when it fails. Never how fast anything is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "bench"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, timeout=100)


def test_it_lists_every_bench_with_what_it_measures() -> None:
    found = bench("--list")
    names = [line.split(maxsplit=1)[0] for line in found.stdout.splitlines() if len(line.split()) > 3]
    assert found.returncode == 0
    assert names == [
        "closing",
        "light",
        "drain",
        "memory",
        "wire",
        "proof",
        "start",
        "footprint",
        "idle",
        "boards",
        "barcodes",
        "printers",
        "flash",
    ]


def test_an_unknown_name_is_refused() -> None:
    found = bench("nothing")
    assert found.returncode == 2
    assert "no bench 'nothing'" in found.stderr


def test_a_row_has_a_figure_something_beside_it_and_a_goal(tmp_path: Path) -> None:
    found = bench("wire", "--quick", "--disk", str(tmp_path / "disk"), "--json", str(tmp_path / "figures.json"))
    report = json.loads((tmp_path / "figures.json").read_text())
    plain, compressed = report["rows"]["wire"]
    assert found.returncode == 0
    assert report["failed"] == {}
    assert 0 < compressed["value"] < plain["value"] < plain["beside"][0]["value"]
    assert plain["goal"] == "<= 80 B"
    assert plain["met"] is (plain["value"] <= 80)
    assert "wire bytes an event" in found.stdout
    assert list((tmp_path / "disk").iterdir()) == [], "it cleans up after itself"


def test_a_bench_that_cannot_run_fails_the_command_and_no_other_row(tmp_path: Path) -> None:
    """No daemon can put its socket into a folder whose path is longer than a socket's name may be."""
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    command = [sys.executable, str(ROOT / "bench"), "light", "wire", "--quick", "--disk", str(tmp_path / "disk")]
    found = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, check=False, timeout=100, env={"TMPDIR": str(deep)}
    )
    assert found.returncode == 1
    assert "could not run" in found.stdout
    assert "wire bytes an event" in found.stdout
