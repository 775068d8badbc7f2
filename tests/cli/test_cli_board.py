"""The machine on a terminal: what is wrong comes with what to do; what nobody knows is said to be so."""

from __future__ import annotations

import pytest

from cli_rig import Terminal
from holdfast.api.ports import BoardReport, FindingReport
from holdfast_contract.board import FINDINGS
from holdfast_drivers.values import Tri

WELL = FindingReport("space", Tri.YES, "9.00 GB free", "", 3, 600)
RTC = FindingReport("rtc", Tri.UNKNOWN, "none", "rtc_absent", 3, 600)
SILENT = FindingReport("throttling", Tri.UNKNOWN, "", "unknown", 3, 600)


def test_every_key_is_shown_with_its_remedy(hub: Terminal) -> None:
    for key, (_, remedy) in FINDINGS.items():
        if key == "unknown":
            continue
        hub.rig.board = BoardReport("Pi", [FindingReport("supply", Tri.NO, "x", key, 40, 600)])
        shown = " ".join(hub("board", code=1).stdout.split())
        assert " ".join(remedy.split()[:3]) in shown, key


def test_one_screen_with_what_is_known_and_what_is_not(hub: Terminal) -> None:
    hub.rig.board = BoardReport("Raspberry Pi 4 Model B", [WELL, RTC, SILENT])
    shown = hub("board").stdout
    for told in (
        "Raspberry Pi 4 Model B",
        "9.00 GB free",
        "3 s ago",
        "fit a clock module",
        "does not tell: throttling",
    ):
        assert told in shown
    (space, rtc, _) = hub.json("board")["findings"]
    assert (space["well"], space["key"], space["remedy"], space["since_s"]) == ("yes", "", "", 600)
    assert rtc["meaning"] == "No clock outlasts a power cut."


def test_not_looked_at_yet(hub: Terminal) -> None:
    assert "not looked at yet" in hub("board").stdout
    assert "not looked at yet" in hub("status").stdout


@pytest.mark.parametrize(
    ("findings", "told"),
    [
        ([WELL, RTC], "1 of 2 things known and well"),
        ([WELL, FindingReport("storage", Tri.NO, "x", "storage_read_only", 1, 1)], "storage: The file system has gone"),
    ],
)
def test_the_status_screen_has_a_line_for_it(hub: Terminal, findings: list[FindingReport], told: str) -> None:
    hub.rig.board = BoardReport("Pi", findings)
    assert told in hub("status").stdout
