"""G-9: the power goes at any write. What was acknowledged stays; what was not is whole or absent."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from journal.rig import Rig, check, kept
from journal.toy import Put
from support.faulty import Disk

CUTS_A_DISK = 100


def power_cuts(tmp_path: Path, *, cuts: int, seed: int, synchronous: str = "FULL") -> tuple[int, int]:
    """Cut the power at random writes and syncs under load: (cuts, cuts after which something acknowledged was gone)."""
    taken = lost = 0
    while taken < cuts:
        some, gone = _one_disk(tmp_path / str(taken), min(CUTS_A_DISK, cuts - taken), seed + taken, synchronous)
        taken, lost = taken + some, lost + gone
    return taken, lost


def _one_disk(directory: Path, cuts: int, seed: int, synchronous: str) -> tuple[int, int]:
    dice = random.Random(seed)
    disk = Disk()
    look = check if synchronous == "FULL" else kept
    left: list[tuple[set[int], Path]] = []
    with Rig(directory / "hub", disk, synchronous) as rig:
        rig.ask(Put(sku="first", times=2))

        def maybe_cut(_: str) -> None:
            if len(left) < cuts and dice.random() < 0.3:
                survivor = directory / str(len(left))
                disk.cut(survivor, dice)
                left.append((set(rig.acked), survivor))

        disk.before = maybe_cut
        while len(left) < cuts:
            rig.ask(Put(sku=str(dice.randrange(9)), qty=dice.randrange(1, 9), times=2))
        disk.before = lambda _: None
    lost = sum(not acked <= look(survivor) for acked, survivor in left)
    shutil.rmtree(directory)
    return len(left), lost


def test_g_9_a_power_cut_loses_nothing_acknowledged(tmp_path: Path) -> None:
    taken, lost = power_cuts(tmp_path, cuts=150, seed=1)
    assert (taken, lost) == (150, 0)


def test_g_9_control_without_full_sync_the_same_cuts_lose(tmp_path: Path) -> None:
    taken, lost = power_cuts(tmp_path, cuts=60, seed=1, synchronous="NORMAL")
    assert taken == 60
    assert lost > 30


@pytest.mark.proof
@pytest.mark.timeout(900)
def test_g_9_ten_thousand_power_cuts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    taken, lost = power_cuts(tmp_path, cuts=10_000, seed=7)
    control, control_lost = power_cuts(tmp_path, cuts=200, seed=7, synchronous="NORMAL")
    with capsys.disabled():
        print(f"\npower cuts: {taken}, losing {lost}; control synchronous=NORMAL: {control}, losing {control_lost}")
    assert (taken, lost) == (10_000, 0)
    assert control_lost > control // 2
