"""Clocks, ids, backoff, and what systemd is told."""

from __future__ import annotations

import asyncio
import random
import socket
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.runtime.backoff import Backoff
from holdfast.runtime.clock import ManualClock, ShopClock, SystemClock, business_day
from holdfast.runtime.ids import IdSource, id_millis
from holdfast.runtime.notify import notify, watchdog_seconds
from holdfast_contract.record import ClockQuality

DAY_MS = 86_400_000


def test_shop_time_continues_over_a_restart() -> None:
    base = ManualClock(monotonic=100.0, wall_ms=1_000_000)
    shop = ShopClock(speed=300, shop_start_ms=50_000_000, real_start_ms=1_000_000, base=base)
    assert shop.wall_ms() == 50_000_000
    base.advance(2.0)
    again = ShopClock(speed=300, shop_start_ms=50_000_000, real_start_ms=1_000_000, base=base)
    assert again.wall_ms() == 50_000_000 + 600_000
    assert shop.monotonic() == 102.0 * 300


async def test_shop_sleep_is_shorter() -> None:
    base = ManualClock()
    shop = ShopClock(speed=10, shop_start_ms=0, real_start_ms=0, base=base)
    sleeping = asyncio.create_task(shop.sleep(20))
    await asyncio.sleep(0)
    base.advance(1.9)
    await asyncio.sleep(0)
    assert not sleeping.done()
    base.advance(0.2)
    await sleeping


async def test_a_step_of_the_wall_clock_moves_no_timer() -> None:
    clock = ManualClock()
    sleeping = asyncio.create_task(clock.sleep(10))
    await asyncio.sleep(0)
    clock.step_wall(365 * 86_400)
    await asyncio.sleep(0)
    assert not sleeping.done()
    clock.advance(10)
    await sleeping


@pytest.mark.parametrize(
    ("local", "day"),
    [("2026-03-01T03:59", "2026-02-28"), ("2026-03-01T04:00", "2026-03-01"), ("2026-01-01T00:30", "2025-12-31")],
)
def test_a_business_day_begins_at_the_cut(local: str, day: str) -> None:
    at = int(datetime.fromisoformat(local).replace(tzinfo=UTC).timestamp() * 1000)
    days = business_day(at, lambda _: 0, 4 * 3_600_000)
    assert datetime.fromtimestamp(days * 86_400, UTC).date().isoformat() == day


def test_a_business_day_is_local() -> None:
    assert business_day(DAY_MS - 1, lambda _: 2 * 3_600_000, 0) == 1
    assert business_day(DAY_MS - 1, lambda _: 0, 0) == 0


def test_ids_never_repeat_and_sort_by_time() -> None:
    clock = ManualClock(wall_ms=1_790_000_000_000)
    source = IdSource(clock)
    ids = [source() for _ in range(1000)]
    clock.step_wall(-3600)
    ids.append(source())
    assert len(set(ids)) == len(ids)
    assert all(id_millis(later) >= id_millis(earlier) for earlier, later in pairwise(ids))


@given(st.integers(0, 2**32), st.integers(1, 40))
def test_backoff_is_random_and_capped(seed: int, tries: int) -> None:
    backoff = Backoff(first=0.5, cap=30, source=random.Random(seed))
    waits = [backoff.next() for _ in range(tries)]
    assert all(0 <= wait <= min(30, 0.5 * 2**n) for n, wait in enumerate(waits))
    backoff.reset()
    assert backoff.next() <= 0.5


def test_systemd_is_told_and_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not notify("READY=1")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(tmp_path / "n"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "n"))
        assert notify("READY=1", "STATUS=open")
        assert server.recv(100) == b"READY=1\nSTATUS=open"
    monkeypatch.setenv("WATCHDOG_USEC", "45000000")
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    assert watchdog_seconds() == 45
    monkeypatch.setenv("WATCHDOG_PID", "1")
    assert watchdog_seconds() is None


def test_the_machine_clock_says_how_good_it_is() -> None:
    clock = SystemClock()
    assert clock.quality() in ClockQuality
    assert abs(clock.wall_ms() - SystemClock().wall_ms()) < 60_000
