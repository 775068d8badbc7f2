"""Presses, decided by time stamps alone: bounce, missed edges and a loop that is late change nothing."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_drivers.panel.buttons import HINT_AFTER, HINT_EVERY, Gesture, Presses

HOLD = 3.0


def up(hold: float | None = HOLD) -> Presses:
    return Presses(hold)


def test_without_a_long_press_every_press_counts_as_it_begins() -> None:
    presses = up(None)
    assert presses.edge(down=True, at=1) is Gesture.SHORT
    assert presses.due(100) is None
    assert presses.edge(down=False, at=200) is None
    assert presses.wake(200) == inf


@pytest.mark.parametrize(("seconds", "gesture"), [(0.05, Gesture.SHORT), (2.999, Gesture.SHORT), (3.0, Gesture.LONG)])
def test_the_time_stamps_of_both_edges_decide(seconds: float, gesture: Gesture) -> None:
    presses = up()
    assert presses.edge(down=True, at=10) is None
    assert presses.edge(down=False, at=10 + seconds) is gesture


def test_a_long_press_is_due_while_the_button_is_down_and_only_once() -> None:
    presses = up()
    presses.edge(down=True, at=10)
    assert presses.due(12.9) is None
    assert presses.due(13) is Gesture.LONG
    assert presses.due(14) is None
    assert presses.edge(down=False, at=15) is None


def test_a_loop_that_is_late_decides_by_what_the_kernel_saw() -> None:
    """Both edges wait while the loop stalls for five seconds: the press lasted half a second."""
    presses = up()
    assert [presses.edge(down=True, at=10), presses.edge(down=False, at=10.5)] == [None, Gesture.SHORT]
    assert presses.due(15) is None


def test_a_button_that_is_down_at_the_start_is_passed_over_until_it_is_let_go() -> None:
    presses = up()
    presses.level(down=True)
    assert presses.due(100) is None
    assert presses.edge(down=False, at=101) is None
    presses.edge(down=True, at=102)
    assert presses.edge(down=False, at=103) is Gesture.SHORT


def test_a_press_whose_end_was_missed_is_given_up() -> None:
    presses = up()
    presses.edge(down=True, at=10)
    presses.level(down=False)
    assert presses.due(20) is None, "nobody shuts the hub down for a lost edge"
    presses.edge(down=True, at=21)
    assert presses.due(24) is Gesture.LONG


def test_a_press_whose_beginning_was_missed_is_none() -> None:
    presses = up()
    presses.level(down=True)
    assert presses.due(100) is None
    assert presses.edge(down=False, at=101) is None


def test_the_same_level_twice_is_no_edge() -> None:
    presses = up(None)
    assert [presses.edge(down=True, at=at) for at in (1, 2, 3)] == [Gesture.SHORT, None, None]
    assert presses.edge(down=False, at=4) is None
    assert presses.edge(down=False, at=5) is None


def test_hints_come_at_their_times_and_end_with_the_press() -> None:
    presses = up()
    presses.edge(down=True, at=0)
    assert not presses.hint(0, HINT_AFTER - 0.01)
    assert presses.hint(HINT_AFTER - 0.01, HINT_AFTER)
    assert not presses.hint(HINT_AFTER, HINT_AFTER + HINT_EVERY / 2)
    assert presses.hint(HINT_AFTER, HINT_AFTER + HINT_EVERY)
    assert presses.wake(0) == HINT_AFTER
    assert presses.wake(2.9) == pytest.approx(0.1)
    presses.edge(down=False, at=1)
    assert not presses.hint(1, 2)
    assert presses.wake(2) == inf


@given(st.lists(st.tuples(st.sampled_from(["edge", "level", "due"]), st.booleans(), st.floats(0, 5)), max_size=60))
def test_no_story_tells_of_more_presses_than_there_were(story: list[tuple[str, bool, float]]) -> None:
    presses, now, begun, told = up(), 0.0, 0, 0
    was_down = False
    for what, down, later in story:
        now += later
        if what == "edge":
            begun += down and not was_down
            was_down = down
            told += presses.edge(down=down, at=now) is not None
        elif what == "level":
            was_down = down
            presses.level(down=down)
        else:
            told += presses.due(now) is not None
        assert told <= begun
        assert presses.wake(now) >= 0
