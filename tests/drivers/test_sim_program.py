"""`holdfast-sim`: one door to every simulator, and the timelines it plays."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from holdfast_drivers.links.serial import serial_opener
from holdfast_drivers.scanners.honeywell import HoneywellScanner
from holdfast_drivers.sim import FAMILIES, ScenarioError, Step, read_scenario
from holdfast_drivers.values import DeviceError, Tri

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
    for device, family in FAMILIES.items():
        assert f"holdfast-sim {device} --" in told
        assert family.commands in told
        assert family.known
    assert "[[step]]" in told
    assert "--pty" in run("printer", "--help")
    for device in FAMILIES:
        assert f"usage: holdfast-sim {device} " in run(device, "--help")
    assert "{full,gs-r,status,no-name,mute,star-line}" in run("printer", "--help")
    assert "'star-line'" in run("printer", "--model", "star", code=2)
    assert "usage" in run(code=2)


@pytest.mark.parametrize(
    "arguments",
    [
        ("printer", "--pty", "{none}/p", "--out", "{dir}"),
        ("printer", "--pty", "{file}", "--out", "{dir}"),
        ("printer", "--pty", "{dir}/p", "--out", "{file}"),
        ("printer", "--render", "{none}", "--out", "{dir}"),
        ("scanner", "--pty", "{file}"),
        ("scale", "--pty", "{file}"),
        ("display", "--pty", "{none}/p"),
        ("battery", "--socket", "{none}/s"),
    ],
)
def test_a_path_that_cannot_be_used_is_told_in_a_line_and_nothing_is_overwritten(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    told = run(*(one.format(none=tmp_path / "none", file=file, dir=tmp_path) for one in arguments), code=2)
    assert len(told.splitlines()) == 1
    assert str(tmp_path) in told
    assert file.read_text() == "mine"


def test_a_bad_day_of_a_printer(tmp_path: Path) -> None:
    """Every step is obeyed, in order."""
    scenario = SCENARIOS / "bad-day-printer.toml"
    told = run(
        "printer", "--pty", str(tmp_path / "p"), "--out", str(tmp_path), "--no-png",
        "--scenario", str(scenario), "--scenario-speed", "50", "--then-quit",
    )  # fmt: skip
    events = [json.loads(line) for line in told.splitlines()]
    assert events[0] == {"event": "ready", "path": str(tmp_path / "p")}
    obeyed = [event["command"].split()[0] for event in events if event["event"] == "done"]
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


OPTIONS = {
    "scanner": ("--pty", "{}/port"),
    "printer": ("--pty", "{}/port", "--out", "{}/out", "--no-png"),
    "battery": ("--socket", "{}/socket"),
    "scale": ("--pty", "{}/port"),
    "display": ("--pty", "{}/port"),
}


def family_of(scenario: Path) -> str:
    """Its file's name tells."""
    (family,) = (device for device in FAMILIES if device in scenario.stem.split("-"))
    return family


@pytest.mark.parametrize("scenario", sorted(SCENARIOS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_scenario_is_played_to_its_end_and_every_line_obeyed(tmp_path: Path, scenario: Path) -> None:
    device = family_of(scenario)
    where = [option.format(tmp_path) for option in OPTIONS[device]]
    told = run(device, *where, "--scenario", str(scenario), "--scenario-speed", "20000", "--then-quit")
    assert "refused" not in told
    assert '"error"' not in told
    assert (tmp_path / "port").is_symlink() is False


def test_the_scenarios_have_what_goes_wrong_most(tmp_path: Path) -> None:
    steps = [
        (family_of(path), line.split()[0].removeprefix("!"))
        for path in SCENARIOS.glob("*.toml")
        for step in read_scenario(path, family_of(path))
        for line in step.lines
    ]
    for wanted in ("load_paper", "paper_out", "open_cover", "garbage", "slow"):
        assert ("printer", wanted) in steps
    for wanted in ("garbage", "slow", "babble", "unplug"):
        assert ("scanner", wanted) in steps


async def read_on(scanner: HoneywellScanner) -> None:
    while True:
        await anext(scanner)


async def test_a_scanner_breaks_down_and_mends_on_command(tmp_path: Path) -> None:
    """As a hub hears it, through the driver."""
    port = str(tmp_path / "scanner")
    child = await asyncio.create_subprocess_exec(
        *(str(PROGRAM), "scanner", "--pty", port, "--protocol", "honeywell"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert child.stdin is not None
    assert child.stdout is not None

    def say(*lines: str) -> None:
        child.stdin.write("".join(f"{line}\n" for line in lines).encode())  # type: ignore[union-attr]  # seen above

    async with asyncio.timeout(30):
        assert await child.stdout.readline() == f"scanner at {port}\n".encode()
        async with HoneywellScanner(serial_opener(port)) as scanner:
            say("!suffix off", "MUG")
            first = await anext(scanner)
            assert (first.data, first.terminated) == (b"MUG", False)
            say("!suffix on", "!slow 0.001", "!scan !CUP")
            second = await anext(scanner)
            assert (second.data, second.terminated) == (b"!CUP", True)
            say("!slow 0", "!garbage 500", "END", "]E04006381333931")
            while not (await anext(scanner)).data.endswith(b"END"):
                pass
            assert (await anext(scanner)).aim == "]E0"
            say("!babble 100000")
            while scanner.stats.bytes < 5000:
                await anext(scanner)
            say("!hush", "!deaf on")
            await child.stdin.drain()
            say("!nonsense", "!babble x")
            assert (await child.stdout.readline()).startswith(b"refused: no command")
            assert (await child.stdout.readline()).startswith(b"refused: ")
            say("!unplug")
            with pytest.raises(DeviceError, match="unplugged"):
                await read_on(scanner)
        say("X", "!plug")
        assert (await child.stdout.readline()).startswith(b"refused: unplugged")
        assert await child.stdout.readline() == f"scanner at {port}\n".encode()
        async with HoneywellScanner(serial_opener(port)) as scanner:
            assert await scanner.alive() is Tri.YES
        say("!quit")
        assert await child.wait() == 0


@pytest.mark.parametrize(
    ("text", "device", "told"),
    [
        ("nonsense", "printer", "Expected"),
        ("[[step]]\nat = 1\ndo = 'dance'", "printer", "does not know 'dance'"),
        ("[[step]]\nat = 1\ndo = 'paper_out'", "scanner", "does not know 'paper_out'"),
        ("[[step]]\nat = 1\ndo = 'scan'", "scanner", "needs a code"),
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
