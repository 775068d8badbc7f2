"""What flows, added up: nothing lost to rounding, sources and loads alike within the meters' error (INV-10.3)."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.kit import Hub
from holdfast.domain.consumption import NoteStatement
from holdfast.domain.energy import Watts
from holdfast.domain.metering import Flow, Metering
from holdfast.domain.plan import ArmPlan, EndPlan
from holdfast.domain.stages import Stage
from holdfast_contract.power import PowerStatement, Share

LOADS = {"board": 5.0, "router": 8.0, "camera": 6.0}
ERROR = 0.05


def flow(**more: object) -> Flow:
    fields: dict[str, object] = {"mains": False, "stage": Stage.NORMAL, "loads": LOADS}
    return Flow(**fields | more)  # type: ignore[arg-type]  # each is of its own type


def test_an_hour_is_added_up() -> None:
    metering = Metering(0)
    for second in range(1, 3601):
        metering.tick(flow(mains=second <= 1800, pack_w=None if second <= 1800 else 20.0), second)
    noted = metering.take(charge=900, left_mwh=None)
    assert (noted.seconds, noted.mains, noted.pack, noted.metered_s, noted.outages) == (3600, 9500, 10_000, 1800, 1)
    assert noted.loads == (Share("board", 5000), Share("camera", 6000), Share("router", 8000))
    assert (noted.peak, noted.outage_s, noted.stages) == (20_000, 1800, (3600, 0, 0, 0, 0))
    assert (noted.charge, noted.left) == (900, -1)
    assert metering.take(charge=None, left_mwh=1).seconds == 0


@given(st.lists(st.floats(0.1, 30), min_size=1, max_size=300), st.integers(1, 20))
def test_nothing_is_lost_to_rounding_however_often_it_is_taken(steps: list[float], every: int) -> None:
    metering, now = Metering(0), 0.0
    mains = seconds = staged = 0
    for n, dt in enumerate(steps):
        now += dt
        metering.tick(flow(mains=True), now)
        if n % every == 0:
            noted = metering.take(charge=None, left_mwh=None)
            mains, seconds, staged = mains + noted.mains, seconds + noted.seconds, staged + sum(noted.stages)
    last = metering.take(charge=None, left_mwh=None)
    assert seconds + last.seconds == pytest.approx(now, abs=1)
    assert staged + sum(last.stages) == pytest.approx(now, abs=1)
    assert mains + last.mains == pytest.approx(19 * now / 3.6, abs=1)


def test_a_pause_nobody_saw_is_not_metered() -> None:
    metering = Metering(0)
    metering.tick(flow(), 10_000)
    assert metering.take(charge=None, left_mwh=None).seconds == 60


def day(seed: int, *, forgets: bool = False) -> PowerStatement:
    """An event on a pack whose draw is measured with noise; loads wander from their plan and are shed and restored.
    `forgets`: the measured sum is not shared out.
    """
    rng = random.Random(seed)
    hub, watts = Hub(), Watts(LOADS)
    hub.ok(ArmPlan(end=1_700_000_000_000 + 8 * 3_600_000, pack_mwh=400_000, charge=1000))
    metering, true = Metering(0), {name: load * rng.uniform(0.7, 1.4) for name, load in LOADS.items()}
    camera, mains = True, False
    for second in range(1, 6 * 3600):
        if second % 3600 == 0:
            camera = not camera
            watts.switch("camera", on=camera)
        if rng.random() < 1 / 3000:
            mains = not mains
        drawn = sum(load for name, load in true.items() if camera or name != "camera") + rng.gauss(0, 1.5)
        if not mains and not forgets:
            watts.measured(drawn, second)
        metering.tick(flow(mains=mains, pack_w=None if mains else drawn, loads=watts.by_class()), second)
        if second % 900 == 0:
            hub.ok(metering.take(charge=500, left_mwh=100_000))
    hub.ok(metering.take(charge=500, left_mwh=100_000))
    hub.ok(EndPlan())
    hub.ok(NoteStatement())
    statement: PowerStatement = hub.facts(PowerStatement)[-1].body
    return statement


def difference(statement: PowerStatement) -> float:
    sources = sum(share.amount for share in statement.sources)
    return abs(sum(share.amount for share in statement.loads) - sources) / sources


@pytest.mark.parametrize("seed", range(6))
def test_inv_10_3_what_the_sources_gave_is_what_the_loads_took(seed: int) -> None:
    statement = day(seed)
    assert difference(statement) <= ERROR
    assert sum(statement.stages) == pytest.approx(statement.seconds, abs=60)


def test_inv_10_3_control_loads_that_are_only_planned_do_not_add_up() -> None:
    assert max(difference(day(seed, forgets=True)) for seed in range(6)) > ERROR
