"""Random `kill -9` of the real daemon: nothing acknowledged is lost, nothing doubled, receipts gapless."""

from __future__ import annotations

from pathlib import Path

import pytest

from system.crash import Verdict, crash

EARLY_ACK = Path(__file__).parent / "early_ack.py"


def told(verdict: Verdict) -> str:
    return (
        f"\n{verdict.kills} kills, {verdict.in_flight} with a command in flight; {verdict.acked} answers, "
        f"{verdict.sales} sales; lost {verdict.lost}, doubled {verdict.doubled}, changed {verdict.changed}"
    )


def hold(verdict: Verdict) -> None:
    assert (verdict.lost, verdict.doubled, verdict.changed) == (0, 0, 0)
    assert verdict.gapless
    assert verdict.sound
    assert verdict.in_flight * 2 >= verdict.kills
    assert verdict.sales > 0


@pytest.mark.timeout(180)
def test_g_3_g_9_inv_3_1_inv_12_1_kill_9_loses_nothing_acknowledged(tmp_path: Path) -> None:
    hold(crash(tmp_path, kills=4, seed=11))


@pytest.mark.timeout(180)
def test_g_4_control_a_daemon_that_answers_before_it_commits_is_caught(tmp_path: Path) -> None:
    verdict = crash(tmp_path, kills=4, seed=11, program=EARLY_ACK)
    assert verdict.lost or verdict.changed


@pytest.mark.proof
@pytest.mark.timeout(1800)
def test_g_3_g_9_two_hundred_kills(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    verdict = crash(tmp_path, kills=200, seed=23)
    with capsys.disabled():
        print(told(verdict))
    hold(verdict)
