"""The systemd unit: it loads, it is shut tight, and the example configuration is one a hub accepts."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from holdfast.config import load
from holdfast.main import BOOT_ID

SYSTEMD = Path(__file__).parents[2] / "systemd"
EXPOSURE = 2.0
"""`systemd-analyze security`, 0 to 10."""

analyze = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(analyze is None, reason="systemd-analyze is not on this machine")


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that exists here."""
    text = (SYSTEMD / "holdfast.service").read_text()
    copy = tmp_path / "holdfast.service"
    copy.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", text, flags=re.MULTILINE))
    return copy


@needs_systemd
def test_the_unit_loads_without_a_word(unit: Path) -> None:
    done = subprocess.run([str(analyze), "verify", str(unit)], capture_output=True, text=True, check=False)
    assert done.stderr == ""


@needs_systemd
def test_the_sandbox_is_tight(unit: Path) -> None:
    done = subprocess.run(
        [str(analyze), "security", "--offline=true", "--no-pager", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    exposure = re.search(r"exposure level for holdfast.service: ([\d.]+)", done.stdout)
    assert exposure is not None, done.stderr
    assert float(exposure[1]) <= EXPOSURE


def test_the_watchdog_allows_for_a_card_that_stalls_and_the_stop_for_its_limit() -> None:
    text = (SYSTEMD / "holdfast.service").read_text()
    seconds = {key: int(value) for key, value in re.findall(r"^(\w+)Sec=(\d+)$", text, re.MULTILINE)}
    assert seconds["Watchdog"] >= 30
    assert seconds["TimeoutStop"] > 60


def test_the_unit_shows_the_daemon_what_it_reads_in_proc() -> None:
    assert BOOT_ID.parts[:3] == ("/", "proc", "sys")
    assert "ProcSubset=all" in (SYSTEMD / "holdfast.service").read_text().splitlines(), "pid hides /proc/sys"


def test_the_example_configuration_is_accepted() -> None:
    config = load(SYSTEMD / "holdfast.example.toml")
    assert config.printer is not None
    assert config.uplink is not None
    assert config.uplink.tls
