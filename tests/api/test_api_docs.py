"""The page about the doors and the doors themselves speak of the same things."""

from __future__ import annotations

import re
from pathlib import Path

from holdfast.api.answers import STATUS
from holdfast.api.metrics import Metrics
from holdfast.api.server import ACTS, READS

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text()


def test_every_path_is_told_and_every_told_path_is_there() -> None:
    assert set(re.findall(r"^\| `(/v1/[^`]*)`", PAGE, re.MULTILINE)) == {*READS, *ACTS, "/v1/live", "/v1/live/ws"}


def test_every_metric_is_told_and_every_told_metric_is_there() -> None:
    named = {family.name for family in Metrics().registry.collect() if family.name.startswith("holdfast_")}
    told = {name.removesuffix("_total") for name in re.findall(r"holdfast_\w+", PAGE)}
    assert told == named


def test_every_status_is_told() -> None:
    for reason, status in STATUS.items():
        line = next(line for line in PAGE.splitlines() if f"`{reason}`" in line)
        assert str(status) in line
