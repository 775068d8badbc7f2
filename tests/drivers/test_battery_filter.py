"""What several readings say together: no single sample decides, and what is old is not known."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_drivers.ups.filter import STALE, PowerFilter, PowerView
from holdfast_drivers.values import PowerReading, Tri


def reading(at: float, charge: int | None = 800, mains: Tri = Tri.NO, cell_mv: int | None = 3900) -> PowerReading:
    return PowerReading(at, cell_mv=cell_mv, charge_permille=charge, rate_permille_per_hour=-100, mains=mains)


def fed(*readings: PowerReading) -> PowerFilter:
    made = PowerFilter()
    for each in readings:
        made.add(each)
    return made


anything = st.builds(
    PowerReading,
    at=st.just(0.0),
    cell_mv=st.none() | st.integers(0, 6000),
    charge_permille=st.none() | st.integers(0, 1000),
    rate_permille_per_hour=st.none() | st.integers(-32768, 32767),
    mains=st.sampled_from(Tri),
)


def test_nothing_heard_is_nothing_known() -> None:
    assert PowerFilter().view(100.0) == PowerView(stale=True, age=None)


def test_three_samples_make_a_value_and_two_the_mains() -> None:
    power = fed(reading(0))
    assert power.view(0) == PowerView(stale=False, age=0)
    power.add(reading(1, charge=700))
    assert power.view(1) == PowerView(stale=False, age=0, mains=Tri.NO)
    power.add(reading(2, charge=790))
    assert power.view(2.5) == PowerView(
        stale=False, age=0.5, cell_mv=3900, charge_permille=790, rate_permille_per_hour=-100, mains=Tri.NO
    )


@given(
    good=st.lists(st.integers(400, 450), min_size=4, max_size=30),
    bad=anything,
    where=st.integers(0, 29),
    mains=st.sampled_from([Tri.YES, Tri.NO]),
)
def test_one_sample_never_acts(good: list[int], bad: PowerReading, where: int, mains: Tri) -> None:
    samples = [reading(float(at), charge, mains) for at, charge in enumerate(good)]
    where %= len(samples)
    samples[where] = replace(bad, at=float(where))
    power = PowerFilter()
    for sample in samples:
        power.add(sample)
        view = power.view(sample.at)
        assert view.charge_permille is None or 400 <= view.charge_permille <= 450
        assert view.cell_mv in (None, 3900)
        assert view.rate_permille_per_hour in (None, -100)
        assert view.mains in (Tri.UNKNOWN, mains)
        assert not view.jumped


@given(st.lists(anything, max_size=40), st.floats(0.1, 40))
def test_a_value_is_always_one_that_was_read(samples: list[PowerReading], spacing: float) -> None:
    power = PowerFilter()
    for turn, sample in enumerate(samples):
        power.add(replace(sample, at=turn * spacing))
    now = len(samples) * spacing
    view = power.view(now)
    last = samples[-3:]
    assert view.charge_permille in [None, *(s.charge_permille for s in samples)]
    assert view.mains is Tri.UNKNOWN or view.mains in [s.mains for s in samples]
    if spacing > STALE:
        assert view == PowerView(stale=True, age=view.age)
    elif len(last) == 3 and all(s.charge_permille is not None for s in last):
        assert view.charge_permille == sorted(s.charge_permille for s in last if s.charge_permille is not None)[1]


def test_two_samples_agreeing_change_the_mains() -> None:
    power = fed(*(reading(at, mains=Tri.YES) for at in range(3)))
    power.add(reading(3, mains=Tri.NO))
    assert power.view(3).mains is Tri.YES
    power.add(reading(4, mains=Tri.NO))
    assert power.view(4).mains is Tri.NO
    power.add(reading(5, mains=Tri.UNKNOWN))
    power.add(reading(6, mains=Tri.UNKNOWN))
    assert power.view(6).mains is Tri.UNKNOWN


def test_what_is_old_is_not_known() -> None:
    power = fed(*(reading(at) for at in range(3)))
    assert power.view(2 + STALE).charge_permille == 800
    assert power.view(2 + STALE + 0.5) == PowerView(stale=True, age=STALE + 0.5)


def test_after_a_silence_everything_is_learnt_anew() -> None:
    power = fed(*(reading(at, charge=800) for at in range(3)))
    power.add(reading(30, charge=100, mains=Tri.NO))
    assert power.view(30) == PowerView(stale=False, age=0)


def test_a_lost_gauge_leaves_the_mains_known() -> None:
    power = fed(*(reading(at) for at in range(3)))
    for at in range(3, 30):
        power.add(PowerReading(float(at), mains=Tri.NO))
    assert power.view(10).charge_permille == 800
    view = power.view(29)
    assert (view.stale, view.charge_permille, view.mains) == (False, None, Tri.NO)
    power.add(reading(30, charge=500))
    assert power.view(30).charge_permille is None, "the samples before the gap no longer count"


@pytest.mark.parametrize(("after", "jumped"), [(690, True), (710, False), (1000, True), (0, True)])
def test_a_jump_is_seen_once_two_samples_tell_it_and_forgotten_after_a_minute(after: int, jumped: bool) -> None:
    power = fed(*(reading(at, charge=800) for at in range(5)))
    power.add(reading(5, charge=after))
    assert not power.view(5).jumped
    power.add(reading(6, charge=after))
    assert power.view(6).jumped is jumped
    for at in range(7, 70):
        power.add(reading(at, charge=after))
    assert not power.view(69).jumped


def test_a_heavy_but_honest_load_is_no_jump() -> None:
    power = fed(*(reading(at, charge=1000 - at) for at in range(300)))
    assert not power.view(299).jumped
