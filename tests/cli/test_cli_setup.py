"""Help, configuration, amounts: what needs no daemon."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from cli_rig import process
from holdfast.cli.amounts import amount_of, format_amount, pair_of
from holdfast.cli.app import app
from holdfast.cli.client import UsageError
from holdfast.cli.show import duration, size
from holdfast_contract.reasons import FAULTS, REASONS

COMMANDS = {
    "status", "devices", "outbox", "spool", "live", "print-test", "scan-test", "reasons", "sell", "sales", "receipt",
    "carts", "money", "stock", "shift", "catalogue", "badge", "journal", "config", "command-sheet", "board", "power",
}  # fmt: skip
GROUPS = {
    "stock": {"receive", "count"},
    "shift": {"open", "close", "x"},
    "catalogue": {"import", "price"},
    "badge": {"new", "list", "revoke"},
    "journal": {"verify", "rebuild", "tail", "export", "verify-export", "salvage-info"},
    "config": {"check", "show"},
    "power": {"detect", "forget", "plan", "report", "test"},
}


def run(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "160"})
    assert result.exit_code == code, (result.output, result.exception)
    return result.output


def test_every_command_is_there_and_teaches() -> None:
    root = typer.main.get_command(app)
    assert set(root.commands) == COMMANDS  # type: ignore[attr-defined]  # the root is a group
    for name, inner in GROUPS.items():
        assert set(root.commands[name].commands) == inner  # type: ignore[attr-defined]  # so are these
    for path in [[name] for name in COMMANDS] + [[group, name] for group in GROUPS for name in GROUPS[group]]:
        shown = run(*path, "--help")
        assert "Usage:" in shown
        if path[0] not in GROUPS or len(path) == 2:
            assert "--json" in shown
    assert "holdfast sell 4006381333931 --cash 20" in run("sell", "--help")


def test_help_needs_nothing_heavy() -> None:
    """Start-up stays quick because nothing is imported before it is needed."""
    code = "import sys; from holdfast.cli.app import app; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"aiohttp", "msgspec", "sqlite3", "cryptography", "reportlab", "asyncio", "rich.table", "holdfast.config"}
    assert heavy & set(loaded) == set()


def test_wrong_usage_has_its_own_status() -> None:
    with process("receipt") as receipt:
        assert receipt.wait(10) == 2
    with process("nonsense") as nonsense:
        assert nonsense.wait(10) == 2


def test_the_version() -> None:
    assert run("--version") == f"holdfast {version('holdfast')}\n"


def test_reasons_need_no_daemon() -> None:
    told = json.loads(run("reasons", "--json"))
    assert {row["reason"] for row in told["reasons"]} == set(REASONS)
    assert {row["reason"] for row in told["faults"]} == set(FAULTS)
    assert "cash_short" in run("reasons")
    assert "port_swap" in run("reasons")


GOOD = """
[hub]
id = "ber-1"
code = "BER"
name = "Hafenladen"
[[stations]]
name = "till1"
"""


def test_config_check_names_every_error(tmp_path: Path) -> None:
    file = tmp_path / "hub.toml"
    file.write_text(GOOD)
    assert "is in order: hub ber-1, stations: till1" in run("config", "check", str(file))
    assert json.loads(run("config", "check", "--config", str(file), "--json"))["ok"] is True
    file.write_text(GOOD.replace('"BER"', "7") + "idle_timeout = -1\ncolour = 'red'\n")
    shown = run("config", "check", str(file), code=2)
    for path in ("hub.code", "stations[0].idle_timeout", "stations[0].colour"):
        assert path in shown
    file.write_text("[hub")
    assert "not valid TOML" in run("config", "check", str(file), code=2)
    assert "cannot be read" in run("config", "check", str(tmp_path / "none.toml"), code=2)


def test_config_show_fills_in_defaults(tmp_path: Path) -> None:
    file = tmp_path / "hub.toml"
    file.write_text(GOOD)
    shown = run("config", "show", str(file)).splitlines()
    assert 'hub.id = "ber-1"' in shown
    assert "stations[0].badge_required = true" in shown
    assert "printer = (not set)" in shown
    assert "hub.header = []" in shown
    assert json.loads(run("config", "show", str(file), "--json"))["api"]["metrics_port"] == 9469


@given(st.integers(0, 10**12 - 1), st.integers(0, 4))
def test_amounts_are_read_as_they_are_shown(amount: int, exponent: int) -> None:
    assert amount_of(format_amount(amount, exponent), exponent) == amount
    assert amount_of(format_amount(amount, exponent).replace(".", ","), exponent) == amount


def test_amounts() -> None:
    assert (amount_of("12", 2), amount_of("12.5", 2), amount_of(" 0,05 ", 2), amount_of("7", 0)) == (1200, 1250, 5, 7)
    assert (format_amount(-5, 2), format_amount(1250, 0), format_amount(0, 2)) == ("-0.05", "1250", "0.00")
    for wrong in ("12.505", "1 000", "1.000,00", "-1", "", "٣", "1.", ".5"):
        with pytest.raises(UsageError):
            amount_of(wrong, 2)


def test_pairs() -> None:
    assert (pair_of("A"), pair_of("A=3"), pair_of("A=B=3")) == (("A", 1), ("A", 3), ("A=B", 3))
    for wrong in ("A=", "=3", "A=0", "A=x", "A=-1"):
        with pytest.raises(UsageError):
            pair_of(wrong)


def test_sizes_and_durations() -> None:
    assert [duration(seconds) for seconds in (None, 0, 59, 90, 3600, 90_000)] == [
        "none", "0 s", "59 s", "1 min 30 s", "1 h", "1 d 1 h",
    ]  # fmt: skip
    assert [size(count) for count in (0, 999, 1000, 64_000_000, 10**13)] == ["0 B", "999 B", "1 kB", "64 MB", "10 TB"]
