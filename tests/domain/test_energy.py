"""The energy budget of an event: the sizes of pack that a till needs, and what moves the margin."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.energy import (
    TYPICAL,
    Budget,
    Pack,
    Watts,
    budget,
    drawable,
    expected,
    pack_wh_for,
    reserve_wh,
    share_at,
    smoothed,
)


def test_a_typical_till_draws_29_watts() -> None:
    assert sum(TYPICAL.values()) == pytest.approx(29, abs=0.5)


@pytest.mark.parametrize(("hours", "pack_wh"), [(6, 270), (8, 360), (10, 450), (12, 540)])
def test_the_pack_for_an_event_at_ten_degrees(hours: int, pack_wh: int) -> None:
    cold = Pack(0, temperature_c=10)
    assert budget(cold, TYPICAL, hours).need_wh / drawable(cold) == pytest.approx(pack_wh, rel=0.01)
    needed = pack_wh_for(cold, TYPICAL, hours)
    assert needed - pack_wh == pytest.approx(reserve_wh(TYPICAL) / drawable(cold), rel=0.1), "the reserve on top"
    assert budget(Pack(needed * 1.001, temperature_c=10), TYPICAL, hours).verdict == "plan_tight"
    assert budget(Pack(needed * 0.999, temperature_c=10), TYPICAL, hours).verdict == "plan_short"
    assert budget(Pack(needed * 1.3, temperature_c=10), TYPICAL, hours).verdict == "ok"


@pytest.mark.parametrize(("celsius", "share"), [(40, 1.0), (25, 1.0), (10, 0.9), (5, 0.85), (0, 0.8), (-30, 0.5)])
def test_cold_takes_its_share(celsius: float, share: float) -> None:
    assert share_at(celsius) == pytest.approx(share)


def test_only_what_is_never_shed_counts_in_the_reserve() -> None:
    assert reserve_wh({"board": 6.0, "tablet": 60.0}) == pytest.approx(6 / 3 + 66 / 60)


def test_the_end_of_an_event_needs_only_the_reserve() -> None:
    assert Budget(5, 0, 4).verdict == "ok"
    assert Budget(3, 0, 4).verdict == "plan_short"
    assert budget(Pack(100), TYPICAL, -1).need_wh == 0


def test_what_is_measured_replaces_what_was_planned() -> None:
    assert expected({"board": 5, "tablet": 7}, {"board": 3.5}) == {"board": 3.5, "tablet": 7}
    assert smoothed(None, 8.0, 0) == 8.0
    assert smoothed(4.0, 8.0, 0) == 4.0
    assert smoothed(4.0, 8.0, 600) == pytest.approx(6.53, abs=0.01)


@given(
    pack=st.builds(Pack, st.floats(1, 2000), st.floats(0.1, 1), st.floats(-30, 50), st.floats(0.05, 1)),
    hours=st.floats(0.1, 24),
    longer=st.floats(0.1, 4),
)
def test_a_longer_event_leaves_less(pack: Pack, hours: float, longer: float) -> None:
    now, later = budget(pack, TYPICAL, hours), budget(pack, TYPICAL, hours + longer)
    assert later.margin_wh < now.margin_wh
    exact = replace(pack, wh=pack_wh_for(pack, TYPICAL, hours))
    assert budget(exact, TYPICAL, hours).margin == pytest.approx(0, abs=1e-6)


def test_a_load_that_is_switched_off_leaves_the_measured_sum_at_once() -> None:
    watts = Watts({"board": 5.0, "camera": 5.0, "router": 8.0}, behind=("board", "camera"))
    watts.measured(12.0, 0)
    assert watts.by_class() == pytest.approx({"board": 6.0, "camera": 6.0, "router": 8.0})
    watts.switch("camera", on=False)
    assert watts.by_class() == pytest.approx({"board": 7.0, "router": 8.0}), "what is planned for it, until measured"
    watts.switch("camera", on=False)
    watts.switch("nothing", on=False)
    watts.switch("camera", on=True)
    assert watts.by_class() == pytest.approx({"board": 6.0, "camera": 6.0, "router": 8.0})
