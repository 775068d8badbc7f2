"""Go-back-N under cumulative acknowledgements, without a network: time is a number."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from holdfast.uplink.pipeline import FLOOR, GREETING_S, MAX_FLIGHTS, START, TIMEOUT_CAP_S, TIMEOUT_S, Pipeline

CEILING = 256 * 1024


def opened(acked: int = 0, *, now: float = 0.0) -> Pipeline:
    """A pipeline on a session whose birth was answered."""
    pipeline = Pipeline(acked, ceiling=CEILING)
    pipeline.open(now)
    pipeline.acknowledge(acked, now)
    return pipeline


def launch(pipeline: Pipeline, count: int, *, now: float = 0.0, size: int = FLOOR) -> None:
    first = pipeline.sent + 1
    pipeline.launch(first, first + count - 1, size=size, end=b"h%d" % (first + count - 1), now=now)


def test_nothing_is_sent_before_headquarters_has_said_where_it_is() -> None:
    pipeline = Pipeline(7, ceiling=CEILING)
    pipeline.open(100.0)
    assert pipeline.room(100.0) == 0
    assert pipeline.room(100.0 + GREETING_S - 0.01) == 0
    pipeline.acknowledge(20, 101.0)
    assert (pipeline.acked, pipeline.sent) == (20, 20), "what was committed meanwhile is not sent again"
    assert pipeline.room(101.0) == START


def test_without_an_answer_to_the_birth_only_a_little_is_sent_on_trust() -> None:
    pipeline = Pipeline(7, ceiling=CEILING)
    pipeline.open(100.0)
    assert pipeline.room(100.0 + GREETING_S) == FLOOR
    launch(pipeline, 5, now=105.0)
    assert pipeline.room(105.0) == 0


def test_an_acknowledgement_frees_room_and_widens_the_window() -> None:
    pipeline = opened()
    launch(pipeline, 10)
    launch(pipeline, 10)
    assert pipeline.room(0.0) == START - 2 * FLOOR
    assert pipeline.acknowledge(10, 0.1)
    assert (pipeline.acked, pipeline.sent, pipeline.in_flight) == (10, 20, 10)
    assert pipeline.room(0.1) == START + FLOOR - FLOOR


def test_the_window_never_exceeds_its_ceiling() -> None:
    pipeline = opened()
    for _ in range(200):
        launch(pipeline, 10, size=pipeline.room(0.0))
        pipeline.acknowledge(pipeline.sent, 0.0)
    assert pipeline.room(0.0) == CEILING


def test_batches_under_way_are_limited_in_number_too() -> None:
    pipeline = opened()
    for _ in range(MAX_FLIGHTS):
        assert pipeline.room(0.0)
        launch(pipeline, 1, size=10)
    assert pipeline.room(0.0) == 0


def test_a_lower_acknowledgement_sends_again_from_there() -> None:
    pipeline = opened(100)
    launch(pipeline, 10)
    assert not pipeline.acknowledge(40, 0.1)
    assert (pipeline.acked, pipeline.sent, pipeline.bytes_in_flight) == (40, 40, 0)


def test_repeats_of_a_lower_acknowledgement_rewind_once() -> None:
    pipeline = opened(100)
    pipeline.acknowledge(40, 0.1)
    launch(pipeline, 10, now=0.2)
    for step in range(1, 8):
        pipeline.acknowledge(40, 0.2 + step)
    assert pipeline.sent == 50


def test_an_acknowledgement_without_progress_means_the_batch_is_lost() -> None:
    pipeline = opened()
    launch(pipeline, 10, now=0.0)
    pipeline.acknowledge(0, 0.1)
    assert pipeline.sent == 10, "too early to speak of this batch"
    pipeline.acknowledge(0, 0.5)
    assert pipeline.sent == 0


def test_a_timeout_sends_again_with_the_smallest_window_and_doubles() -> None:
    pipeline, now, waits = opened(), 0.0, []
    for _ in range(8):
        launch(pipeline, 10, now=now)
        began = now
        while not pipeline.expire(now):
            now += 0.25
        waits.append(now - began)
        assert (pipeline.sent, pipeline.room(now)) == (0, FLOOR)
    assert waits == [TIMEOUT_S, 2 * TIMEOUT_S, 4 * TIMEOUT_S, 8 * TIMEOUT_S] + [TIMEOUT_CAP_S] * 4
    launch(pipeline, 10, now=now)
    pipeline.acknowledge(10, now)
    launch(pipeline, 10, now=now)
    assert not pipeline.expire(now + TIMEOUT_S - 0.1)
    assert pipeline.expire(now + TIMEOUT_S)


def test_progress_starts_the_clock_again() -> None:
    pipeline = opened()
    launch(pipeline, 10, now=0.0)
    launch(pipeline, 10, now=0.0)
    pipeline.acknowledge(10, 1.0)
    assert not pipeline.expire(5.9)
    assert pipeline.expire(6.0)


def test_a_slow_headquarters_is_given_more_time() -> None:
    pipeline = opened()
    launch(pipeline, 10, now=0.0)
    launch(pipeline, 10, now=0.0)
    pipeline.acknowledge(10, 4.0)
    assert not pipeline.expire(19.9)
    assert pipeline.expire(20.0)


def test_a_months_long_silence_overflows_nothing() -> None:
    pipeline, now = opened(), 0.0
    for _ in range(5000):
        launch(pipeline, 1, now=now)
        now += 2 * TIMEOUT_CAP_S
        assert pipeline.expire(now)


def test_waiting_at_the_brokers_door_halves_the_window() -> None:
    pipeline = opened(now=10.0)
    pipeline.confirm(0.9, 10.0)
    pipeline.confirm(1.3, 12.0)
    assert pipeline.room(12.0) == START, "a slow path is no queue"
    pipeline.confirm(1.5, 14.0)
    assert pipeline.room(14.0) == START // 2
    pipeline.confirm(1.5, 14.1)
    assert pipeline.room(14.1) == START // 2, "once for all that waited together"
    for second in range(16, 40, 2):
        pipeline.confirm(3.0, float(second))
    assert pipeline.room(40.0) == FLOOR


def test_after_a_queue_was_seen_the_window_grows_by_its_floor_each_round_trip() -> None:
    pipeline = opened(now=10.0)
    pipeline.confirm(0.1, 10.0)
    pipeline.confirm(0.7, 12.0)
    assert pipeline.room(12.0) == START // 2
    launch(pipeline, 10, now=12.0, size=START // 2)
    pipeline.acknowledge(10, 12.1)
    assert pipeline.room(12.1) == START // 2 + FLOOR
    pipeline.open(13.0)
    pipeline.acknowledge(10, 13.0)
    launch(pipeline, 10, now=13.0)
    pipeline.acknowledge(20, 13.1)
    assert pipeline.room(13.1) == START // 2 + 2 * FLOOR, "a new connection may be a new path"


def test_sends_and_resends_are_counted_by_record() -> None:
    pipeline = opened()
    launch(pipeline, 10)
    launch(pipeline, 10)
    pipeline.open(1.0)
    pipeline.acknowledge(10, 1.0)
    launch(pipeline, 15, now=1.0)
    assert (pipeline.sends, pipeline.resends) == (35, 10)


def test_a_new_session_forgets_what_was_under_way() -> None:
    pipeline = opened()
    launch(pipeline, 10)
    pipeline.open(1.0)
    assert (pipeline.sent, pipeline.bytes_in_flight, pipeline.end_of(10)) == (0, 0, None)


FATES = st.lists(st.sampled_from(["arrives", "lost", "ack lost", "reconnect", "restored"]), min_size=1, max_size=200)


@given(FATES, st.integers(1, 400))
def test_g1_whatever_is_lost_headquarters_gets_every_record_once_and_in_order(fates: list[str], total: int) -> None:
    """Headquarters takes only what continues its prefix; any sequence of fates, then a quiet network, ends complete."""
    pipeline, held, now = opened(), 0, 0.0

    def arrive(first: int, last: int) -> None:
        nonlocal held
        if first <= held + 1:
            held = max(held, last)

    for fate in [*fates, *["arrives"] * (total + 10)]:
        now += 1.0
        pipeline.expire(now)
        if fate == "reconnect":
            pipeline.open(now)
            pipeline.acknowledge(held, now)
        elif fate == "restored":
            held //= 2
            pipeline.acknowledge(held, now)
        assert pipeline.acked <= pipeline.sent <= total
        if pipeline.sent < total and pipeline.room(now):
            first, last = pipeline.sent + 1, min(total, pipeline.sent + 7)
            pipeline.launch(first, last, size=FLOOR, end=b"", now=now)
            if fate != "lost":
                arrive(first, last)
                if fate != "ack lost":
                    pipeline.acknowledge(held, now)
        elif fate == "arrives":
            pipeline.acknowledge(held, now)
    assert pipeline.acked == held == total
