"""`holdfast-sim`: one door to every simulator, and the timelines it plays."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from holdfast_drivers.sim import COMMANDS, MODULES, ScenarioError, Step, read_scenario

SCENARIOS = Path(__file__).parents[2] / "docs/scenarios"
PROGRAM = Path(sys.executable).with_name("holdfast-sim")


def run(*arguments: str, code: int = 0) -> str:
    done = subprocess.run(
        [PROGRAM, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


def test_help_teaches() -> None:
    told = run("--help")
    for device in MODULES:
        assert f"holdfast-sim {device} --" in told
        assert COMMANDS[device][:20] in told
    assert "[[step]]" in told
    assert "--pty" in run("printer", "--help")
    assert "usage" in run(code=2)


def test_a_bad_day_of_a_printer(tmp_path: Path) -> None:
    """Every step is obeyed, in order."""
    scenario = SCENARIOS / "bad-day-printer.toml"
    told = run(
        "printer", "--pty", str(tmp_path / "p"), "--out", str(tmp_path), "--no-png",
        "--scenario", str(scenario), "--scenario-speed", "50", "--then-quit",
    )  # fmt: skip
    events = [json.loads(line) for line in told.splitlines()]
    assert events[0] == {"event": "ready", "path": str(tmp_path / "p")}
    obeyed = [event["name"] for event in events if event["event"] == "fault"]
    assert obeyed == [line.split()[0] for step in read_scenario(scenario, "printer") for line in step.lines]
    assert {"event": "refused"}.items() not in [event.items() for event in events]
    assert len(obeyed) == 9


def test_a_busy_scanner(tmp_path: Path) -> None:
    """What it scans is what the hub's side of the port hears."""
    port = tmp_path / "scanner"
    command = [
        PROGRAM, "scanner", "--pty", str(port), "--scenario", str(SCENARIOS / "busy-scanner.toml"),
        "--scenario-speed", "2",
    ]  # fmt: skip
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        child.stdout.readline()
        heard = b""
        deadline = time.monotonic() + 20
        with port.open("rb", buffering=0) as hub:
            while b"10AB\r" not in heard and time.monotonic() < deadline:
                heard += hub.read(4096)
            child.stdin.write(b"then by hand\n")
            child.stdin.flush()
            while b"by hand" not in heard and time.monotonic() < deadline:
                heard += hub.read(4096)
    finally:
        child.stdin.close()
        child.wait(10)
        child.stdout.close()
    assert heard.count(b"]E04012345678901") == 2
    assert b"\x1d10AB" in heard
    assert child.returncode == 0


@pytest.mark.parametrize("scenario", sorted(SCENARIOS.glob("battery-*.toml")), ids=lambda path: path.stem)
def test_a_batterys_scenarios_are_obeyed(tmp_path: Path, scenario: Path) -> None:
    """What they do to a hub is in tests/devices/test_power_scenarios.py."""
    socket = str(tmp_path / "s")
    told = run(
        "battery", "--socket", socket, "--scenario", str(scenario), "--scenario-speed", "20000", "--then-quit"
    )  # fmt: skip
    events = [json.loads(line) for line in told.splitlines()]
    assert "ready" in {event["event"] for event in events}
    assert not [event for event in events if event["event"] == "error"]


@pytest.mark.parametrize(
    ("text", "device", "told"),
    [
        ("nonsense", "printer", "Expected"),
        ("[[step]]\nat = 1\ndo = 'dance'", "printer", "does not know 'dance'"),
        ("[[step]]\nat = 1\ndo = 'paper_out'", "scanner", "action is scan"),
        ("[[step]]\nat = 1\ndo = 'wait'\n[[step]]\nat = 0\ndo = 'wait'", "battery", "order of their time"),
        ("[[step]]\nat = 1\ndoo = 'wait'", "battery", "doo"),
        ("[[step]]\nat = 1\ndo = 'scan'\nargument = \"a\\nb\"", "scanner", "no line end"),
    ],
)
def test_a_scenario_that_cannot_be_played(tmp_path: Path, text: str, device: str, told: str) -> None:
    path = tmp_path / "x.toml"
    path.write_text(text)
    with pytest.raises(ScenarioError, match=told):
        read_scenario(path, device)
    assert told in run(device, "--scenario", str(path), code=2)


def test_steps_for_a_battery(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text("[[step]]\nat = 1\ndo = 'mains'\nargument = 'off'\n[[step]]\nat = 2\ndo = 'charge'\nargument = 5")
    assert read_scenario(path, "battery") == (Step(1, ("mains off",)), Step(2, ("charge 5",)))
