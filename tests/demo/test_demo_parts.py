"""The smaller parts: configuration, plan, figures, what is shown, processes."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from holdfast import config as options
from hub import Place, ShopTime, config_text
from processes import ChildError, Children, Event, output
from report import percentile
from support.waiting import until
from view import Board, line, screen

OPENS = datetime.fromisoformat("2011-01-26T08:05")


def test_the_configuration_is_one_the_hub_takes(tmp_path: Path) -> None:
    """Also with a path that wants quoting."""
    place = Place(tmp_path / 'an "odd" folder', tmp_path / "work")
    config = options.parse(tomllib.loads(config_text(place, ShopTime(OPENS, 1000.0, 409), broker_port=1883)))
    assert config.storage.directory == str(place.journal)
    assert config.demo == options.Demo(speed=409, shop_start="2011-01-26T08:05:00", real_start=1000.0)
    assert config.uplink is not None
    assert not config.uplink.tls


def test_shop_time_runs_ahead_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 1010.0)
    clock = ShopTime(OPENS, 1000.0, 60)
    assert clock.now() == OPENS + timedelta(minutes=10)
    assert clock.until(OPENS + timedelta(minutes=13)) == pytest.approx(3.0)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=200), st.sampled_from([0.5, 0.95, 0.99, 1.0]))
def test_a_percentile_is_not_exceeded_by_its_share(values: Sequence[float], share: float) -> None:
    found = percentile(values, share)
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9
    assert sum(value < found for value in values) < share * len(values) + 1e-9


def test_without_values_there_is_no_percentile() -> None:
    assert percentile([], 0.5) == 0.0


def board(**known: Any) -> Board:
    return Board(day="2011-01-26", baskets=57, rows=1251, clock=lambda: OPENS, **known)


def shown(what: Board) -> str:
    console = Console(width=120, height=30)
    with console.capture() as captured:
        console.print(screen(what, 30), height=30)
    return captured.get()


def test_the_screen_shows_what_is_known_and_what_is_not() -> None:
    found = board(served=12, rung=100, refused=1, takings=123_456, link="offline", outbox=42, charge=None)
    text = shown(found)
    for word in ("12 of 57", "101 of 1251 rows", "£1,234.56", "offline", "42", "08:05:00", "?"):
        assert word in text


def test_the_newest_tick_is_seen_however_many_there_were() -> None:
    found = board()
    for number in range(100):
        found.tick(f"event {number}")
    assert "event 99" in shown(found)
    assert "event 1 " not in shown(found)


def test_a_tick_is_told_where_there_is_no_screen() -> None:
    told: list[str] = []
    board(told=told.append).tick("the network is gone")
    assert told == ["08:05  the network is gone"]


def test_one_line_says_it_all() -> None:
    assert "rows 100+1/1251" in line(board(rung=100, refused=1))


ECHO = (
    sys.executable,
    "-c",
    "import sys, json\nfor l in sys.stdin: print(json.dumps({'heard': l.strip()}), flush=True)",
)


async def test_a_child_is_spoken_to_and_ended(tmp_path: Path) -> None:
    heard: list[Event] = []
    async with Children() as children:
        child = await children.start("echo", ECHO, log=tmp_path / "log", hear=heard.append)
        child.say("hello")
        await until(lambda: heard)
        assert child.spoken.is_set()
        assert child.status is None
    assert heard == [{"heard": "hello"}]
    assert child.status == -15


async def test_a_child_that_is_gone_cannot_be_spoken_to(tmp_path: Path) -> None:
    async with Children() as children:
        child = await children.start("echo", ECHO, log=tmp_path / "log", hear=lambda _: None)
        child.kill()
        assert await child.wait() == -9
        with pytest.raises(ChildError, match="gone"):
            child.say("hello")


async def test_children_end_when_the_story_breaks(tmp_path: Path) -> None:
    children = Children()
    child = await children.start("echo", ECHO, log=tmp_path / "log", hear=lambda _: None)
    with pytest.raises(RuntimeError, match="broke"):
        await broken(children)
    assert child.status is not None


async def broken(children: Children) -> None:
    async with children:
        raise RuntimeError("broke")


async def test_a_command_is_run_to_its_end_or_ended() -> None:
    assert await output((sys.executable, "-c", "print('word'); raise SystemExit(3)")) == (3, "word\n")
    with pytest.raises(TimeoutError):
        await output((sys.executable, "-c", "import time; time.sleep(60)"), limit=0.2)
