"""Sensors that contradict each other: who is believed, for how long, and that an honest one never loses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_drivers.ups import vote
from holdfast_drivers.ups.battery import Battery
from holdfast_drivers.ups.curves import LI_FE_PO4, LI_ION
from holdfast_drivers.ups.filter import PowerView
from holdfast_drivers.ups.judgement import Judge, Judged
from holdfast_drivers.ups.learning import Pack
from holdfast_drivers.ups.vote import AGAIN, AGAINST, HALF_HOUR, GaugeVote, MainsVote
from holdfast_drivers.values import Tri
from real_cells import PI, discharges

PACK = Pack(22_000, 3200)
BESIDE_EACH_OTHER = 200
"""Permille by which published curves differ: the model has nothing better before it has learnt."""


def view(battery: Battery, charge: float | None, *, mains: Tri = Tri.NO) -> PowerView:
    return PowerView(
        stale=False,
        cell_mv=round(battery.cell_mv),
        charge_permille=None if charge is None else round(charge * 1000),
        mains=mains,
        power_mw=round(battery.current_a * battery.cell_mv),
    )


def drained(judge: Judge, battery: Battery, charge: float | None, *, minutes: float, start: float = 0) -> Judged:
    """Judged every five seconds while the battery drains and a gauge says `charge`; None: its true charge."""
    judged = Judged()
    for n in range(int(minutes * 12)):
        judged = judge.step(view(battery, battery.charge if charge is None else charge), start + 5 * n)
        battery.step(5)
    return judged


def judge() -> Judge:
    return Judge(PACK, planned_mw=5000)


def test_a_gauge_at_nothing_beside_a_full_cell_loses() -> None:
    battery = Battery(mains=False, load_w=6.0, charge=0.9)
    judged = drained(judge(), battery, 0.0, minutes=5)
    assert (judged.doubt, judged.charge_by) == ("gauge_contradicted", "model")
    assert judged.charge_permille == pytest.approx(battery.charge * 1000, abs=BESIDE_EACH_OTHER)
    assert judged.minutes_left is not None
    assert judged.minutes_left > 100


def test_a_gauge_that_says_full_for_ever_loses_after_a_quarter_of_an_hour() -> None:
    ours, battery = judge(), Battery(mains=False, load_w=6.0, charge=0.97)
    assert drained(ours, battery, 1.0, minutes=14).charge_by == "gauge"
    judged = drained(ours, battery, 1.0, minutes=4, start=14 * 60)
    assert (judged.doubt, judged.charge_by) == ("gauge_stuck", "model")
    judged = drained(ours, battery, 1.0, minutes=120, start=18 * 60)
    assert judged.charge_by == "model"
    assert judged.charge_permille == pytest.approx(battery.charge * 1000, abs=BESIDE_EACH_OTHER)


def test_control_without_the_vote_the_stuck_gauge_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vote, "STUCK_AFTER", float("inf"))
    monkeypatch.setattr(vote, "BESIDE", 2.0)
    judged = drained(judge(), Battery(mains=False, load_w=6.0, charge=0.97), 1.0, minutes=120)
    assert (judged.charge_by, judged.charge_permille) == ("gauge", 1000)


@pytest.mark.parametrize("load_w", [2.0, 6.0, 12.0])
@pytest.mark.parametrize("resistance_ohm", [0.03, 0.1])
def test_an_honest_gauge_is_never_doubted(load_w: float, resistance_ohm: float) -> None:
    ours, battery = judge(), Battery(mains=False, load_w=load_w, charge=1.0, resistance_ohm=resistance_ohm)
    at = 0.0
    while battery.cell_mv > 3200:
        assert ours.step(view(battery, battery.charge), at).doubt == ""
        battery.step(10)
        at += 10


def test_a_real_gauge_is_never_doubted() -> None:
    """That of the UPSPlus, which says 79 % of a full pack and 1 % for half an hour."""
    ours = Judge(Pack(34_000, 3200), planned_mw=5000)
    for sample in discharges(PI)[0]:
        assert sample.charge is not None
        power = -round(sample.cell_mv * sample.drain_ma / 1000)
        seen = PowerView(False, 0.0, round(sample.cell_mv), round(sample.charge * 1000), mains=Tri.NO, power_mw=power)
        assert ours.step(seen, sample.at).doubt == ""


def test_a_gauge_is_believed_again_only_after_it_has_agreed_for_long() -> None:
    ballot = GaugeVote()
    ballot.step("gauge_contradicted", 0)
    ballot.step("gauge_contradicted", AGAINST)
    assert ballot.against
    ballot.step("", AGAINST + 1)
    ballot.step("", AGAINST + AGAIN)
    assert ballot.against
    ballot.step("", AGAINST + 1 + AGAIN)
    assert not ballot.against


@given(st.lists(st.booleans(), max_size=300))
def test_a_gauge_loses_exactly_by_a_minute_of_unbroken_doubt(doubts: list[bool]) -> None:
    ballot, run = GaugeVote(), 0
    for at, doubt in enumerate(doubts):
        ballot.step("gauge_contradicted" if doubt else "", at)
        run = run + 1 if doubt else 0
        assert bool(ballot.against) == (run > AGAINST)
        if ballot.against:
            return


def test_the_middle_of_lifepo4_contradicts_nobody() -> None:
    ours = Judge(Pack(22_000, 3000, LI_FE_PO4), planned_mw=5000)
    flat = PowerView(stale=False, cell_mv=3270, charge_permille=50, mains=Tri.NO, power_mw=-6000)
    assert {ours.step(flat, n).doubt for n in range(300)} == {""}


# The mains


def told(battery: Battery, mains: Tri, *, minutes: int, ballot: MainsVote | None = None) -> set[Tri]:
    """What was believed while the board said `mains` of what really happened."""
    ballot = ballot or MainsVote(LI_ION)
    found = set()
    for n in range(minutes * 12):
        found.add(ballot.step(round(battery.cell_mv), mains, 5 * n))
        battery.step(5)
    return found


def test_a_dead_mains_line_is_not_believed_beside_a_cell_that_stays_full() -> None:
    assert Tri.YES not in told(Battery(charge=1.0), Tri.NO, minutes=HALF_HOUR - 1)
    assert Tri.YES in told(Battery(charge=1.0), Tri.NO, minutes=HALF_HOUR + 2)


def test_a_dead_mains_line_is_not_believed_beside_a_cell_that_is_charged() -> None:
    charged = Battery(charge=0.1, charger_a=1.5)
    assert Tri.YES in told(charged, Tri.NO, minutes=15)
    assert charged.charge < 0.3


def test_mains_that_return_are_believed_at_once_however_the_cell_fell() -> None:
    ballot, battery = MainsVote(LI_ION), Battery(mains=False, load_w=6.0, charge=0.5)
    told(battery, Tri.NO, minutes=60, ballot=ballot)
    battery.mains = True
    assert told(battery, Tri.YES, minutes=60, ballot=ballot) == {Tri.YES}
    battery.mains = False
    assert told(battery, Tri.NO, minutes=60, ballot=ballot) == {Tri.NO}


def test_a_load_that_ends_is_no_charger() -> None:
    ballot, battery = MainsVote(LI_ION), Battery(mains=False, load_w=9.0, charge=0.8)
    found = told(battery, Tri.NO, minutes=30, ballot=ballot)
    battery.load_w = 3.0
    assert found | told(battery, Tri.NO, minutes=30, ballot=ballot) == {Tri.NO}


def test_a_line_that_says_mains_for_ever_is_not_believed_while_the_cell_drains() -> None:
    assert Tri.NO in told(Battery(mains=False, load_w=6.0, charge=0.45), Tri.YES, minutes=30)
    assert told(Battery(mains=False, load_w=6.0, charge=0.9), Tri.YES, minutes=30) == {Tri.YES}, "still far from empty"


@pytest.mark.parametrize("charge", [0.05, 0.3, 0.6, 0.95])
def test_an_honest_mains_line_is_never_doubted(charge: float) -> None:
    assert told(Battery(charge=charge), Tri.YES, minutes=300) == {Tri.YES}
    assert told(Battery(mains=False, load_w=3.0, charge=charge), Tri.NO, minutes=120) == {Tri.NO}


@given(st.integers(2500, 4500), st.integers(100, 2000), st.sampled_from([Tri.YES, Tri.NO]))
def test_one_voltage_never_changes_the_mains(bad: int, at: int, mains: Tri) -> None:
    ballot = MainsVote(LI_ION)
    for n in range(2400):
        assert ballot.step(bad if n == at else 3900, mains, n) is mains


def test_a_pack_at_which_the_charger_holds_still_is_full() -> None:
    ballot, battery = MainsVote(LI_ION), Battery(charge=0.6)
    told(battery, Tri.YES, minutes=60, ballot=ballot)
    assert not ballot.full
    full = MainsVote(LI_ION)
    told(Battery(charge=1.0), Tri.YES, minutes=HALF_HOUR + 2, ballot=full)
    assert full.full
    full.step(4150, Tri.NO, 1e4)
    assert full.full, "it was when the mains went"
