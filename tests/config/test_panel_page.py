"""The page about the panel: its example is accepted, and its picture shows the lines of the example."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from holdfast.config import parse
from holdfast.counter.commands import button_problems

PAGE = (Path(__file__).parents[2] / "docs" / "panel.md").read_text()
HUB = {"id": "pier-7", "code": "P7", "name": "Pier 7"}


def test_the_example_is_accepted_and_the_picture_shows_its_lines() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    config = parse({"hub": HUB, "stations": [{"name": "t1"}], **tomllib.loads(example)})
    assert button_problems(config) == []
    (picture,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    left = re.findall(r"(\w+)\s*<?---+>?\s*GPIO\s+(\d+)", picture)
    right = [(name, pin) for pin, name in re.findall(r"GPIO\s+(\d+)\s+---> (\w+)", picture)]
    drawn = sorted((name, int(pin)) for name, pin in (*left, *right))
    panel, drawer = config.panel, config.drawer
    assert panel is not None
    assert drawer is not None
    lamps = [(lamp, getattr(panel, lamp)) for lamp in ("green", "amber", "red", "blue", "white", "buzzer")]
    wired = [*lamps, *(("button", button.pin) for button in panel.buttons), ("mains", 6)]
    assert drawn == sorted([*wired, ("relay", drawer.relay), ("switch", drawer.sensor)])
