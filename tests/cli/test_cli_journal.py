"""The record from its file: proved, read, rebuilt, taken elsewhere."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli_rig import running
from holdfast.cli.app import app
from holdfast.domain.registry import AREAS
from holdfast.journal.keys import device_key
from holdfast.journal.projector import Projector
from holdfast.journal.store import FILE, open_store
from hub_rig import CANDLE, HONEY, Rig


async def trade(rig: Rig) -> None:
    await rig.stock_shop()
    await rig.sell(CANDLE, HONEY)
    await rig.sell(CANDLE)


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("traded")
    with running(directory, trade):
        pass
    return directory / "store"


@pytest.fixture
def store(traded: Path, tmp_path: Path) -> Path:
    """A journal of a few sales, closed, to do with as one likes."""
    return Path(shutil.copytree(traded, tmp_path / "store"))


def run(*arguments: str, code: int = 0) -> Any:
    result = CliRunner().invoke(app, ["journal", *arguments], env={"COLUMNS": "200"})
    assert result.exit_code == code, (result.output, result.exception)
    return result


def facts(*arguments: str, code: int = 0) -> Any:
    return json.loads(run(*arguments, "--json", code=code).stdout)


def damage(store: Path, sql: str, *values: object) -> None:
    with closing(sqlite3.connect(store / FILE)) as db, db:
        assert db.execute(sql, values).rowcount == 1


def test_a_whole_record_is_proved(store: Path) -> None:
    told = facts("verify", "--projections", "--directory", str(store))
    assert (told["ok"], told["first_bad"], told["projections"]) == (True, None, True)
    with closing(sqlite3.connect(store / FILE)) as db:
        assert told["checked"] == db.execute("SELECT count(*) FROM journal").fetchone()[0]
    assert "records hold" in run("verify", "--directory", str(store)).stdout


def test_verify_names_the_first_bad_record(store: Path) -> None:
    damage(store, "UPDATE journal SET record = CAST(record || x'00' AS BLOB) WHERE seq = 5")
    told = facts("verify", "--directory", str(store), code=1)
    assert (told["ok"], told["first_bad"], told["checked"]) == (False, 5, 4)
    assert "seq 5" in run("verify", "--directory", str(store), code=1).stdout


def test_verify_finds_a_missing_record(store: Path) -> None:
    damage(store, "DELETE FROM journal WHERE seq = 3")
    assert facts("verify", "--directory", str(store), code=1)["first_bad"] == 3


def test_rebuild_mends_projections_that_lie(store: Path) -> None:
    damage(store, "UPDATE balance SET qty = 99 WHERE sku = 'candle' AND place = 1")
    assert facts("verify", "--projections", "--directory", str(store), code=1)["projections"] is False
    assert facts("rebuild", "--directory", str(store))["changed"] is True
    assert facts("verify", "--projections", "--directory", str(store))["projections"] is True
    told = facts("rebuild", "--directory", str(store))
    assert told["changed"] is False
    assert "right before" in run("rebuild", "--directory", str(store)).stdout


def test_rebuild_needs_the_daemon_stopped(tmp_path: Path) -> None:
    with running(tmp_path, trade) as terminal:
        shown = run("rebuild", "--directory", str(terminal.rig.store), code=2).stderr
        assert "systemctl stop" in shown
        assert facts("verify", "--projections", "--directory", str(terminal.rig.store))["ok"] is True


def test_tail_in_words_and_in_json(store: Path) -> None:
    shown = run("tail", "-n", "2", "--directory", str(store)).stdout.splitlines()
    assert len(shown) == 2
    assert "sale.completed" in shown[-1]
    assert "payable=1999" in shown[-1]
    records = [json.loads(line) for line in run("tail", "--json", "--directory", str(store)).stdout.splitlines()]
    assert [record["seq"] for record in records] == sorted(record["seq"] for record in records)
    assert records[-1]["body"]["posts"]
    assert run("tail", "-n", "0", "--directory", str(store)).stdout == ""


def export(store: Path, target: Path) -> Any:
    return facts("export", str(target), "--directory", str(store))


def test_inv_12_5_an_export_is_proved_with_the_public_key_alone(store: Path, tmp_path: Path) -> None:
    made = export(store, tmp_path / "out")
    shutil.rmtree(store)
    told = facts("verify-export", str(tmp_path / "out"), "--key", made["public_key"])
    assert told["records"] == made["records"]
    assert told["accounts"] == made["accounts"]
    assert sum(told["accounts"].values()) == 0
    assert told["stock"]["candle"] == {"sellable": 8, "supplier": -10, "customer": 2}
    assert "compare it" in run("verify-export", str(tmp_path / "out")).stdout


def test_every_line_of_an_export_can_be_read(store: Path, tmp_path: Path) -> None:
    export(store, tmp_path / "out")
    lines = [json.loads(line) for line in (tmp_path / "out" / "journal.jsonl").read_bytes().splitlines()]
    sale = lines[-1]
    assert (sale["type"], sale["body"]["a"], sale["inc"]) == ("sale.completed", 1999, 1)
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))


def tampered(folder: Path, name: str, old: bytes, new: bytes) -> None:
    content = (folder / name).read_bytes()
    assert old in content
    (folder / name).write_bytes(content.replace(old, new, 1))


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("journal.jsonl", b'"a":1999', b'"a":9999'),
        ("journal.jsonl", b'"actor":"hub"', b'"actor":"bub"'),
        ("journal.jsonl", b'"seq":4', b'"seq":5'),
        ("journal.jsonl", b'"hash":"', b'"hash":"00'),
        ("journal.jsonl", b'"record":"', b'"record":"AAAA'),
        ("journal.jsonl", b"\n", b""),
        ("manifest.json", b'"tender:cash": 4', b'"tender:cash": 5'),
        ("manifest.json", b'"format": "holdfast export 1"', b'"format": "holdfast export 2"'),
        ("manifest.json", b"{", b"["),
        ("manifest.sig", b"\n", b"00\n"),
        ("manifest.sig", b"\n", b"x\n"),
    ],
)
def test_a_change_to_an_export_is_found(store: Path, tmp_path: Path, name: str, old: bytes, new: bytes) -> None:
    export(store, tmp_path / "out")
    tampered(tmp_path / "out", name, old, new)
    assert "ot proved" in run("verify-export", str(tmp_path / "out"), code=1).stderr


def test_words_that_do_not_follow_from_their_record_are_found_though_signed(store: Path, tmp_path: Path) -> None:
    """Whoever holds the hub's key can sign anything; the chain still says what was."""
    out = tmp_path / "out"
    export(store, out)
    tampered(out, "journal.jsonl", b'"a":1999', b'"a":9999')
    digest = hashlib.sha256((out / "journal.jsonl").read_bytes()).hexdigest()
    manifest = json.loads((out / "manifest.json").read_bytes()) | {"sha256": digest}
    encoded = json.dumps(manifest).encode()
    (out / "manifest.json").write_bytes(encoded)
    signature = device_key(store).sign(b"holdfast export 1\n" + hashlib.sha256(encoded).digest())
    (out / "manifest.sig").write_text(signature.hex())
    assert "says other things than its record" in run("verify-export", str(out), code=1).stderr


def test_dropping_lines_from_an_export_is_found(store: Path, tmp_path: Path) -> None:
    export(store, tmp_path / "out")
    file = tmp_path / "out" / "journal.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    for kept in (lines[:-1], lines[1:], [], [*lines, lines[-1]]):
        file.write_bytes(b"".join(kept))
        run("verify-export", str(tmp_path / "out"), code=1)
    file.write_bytes(b"".join(lines))
    run("verify-export", str(tmp_path / "out"))


def test_an_export_of_another_hub_is_not_this_hubs(store: Path, tmp_path: Path) -> None:
    export(store, tmp_path / "out")
    assert "not signed" in run("verify-export", str(tmp_path / "out"), "--key", "11" * 32, code=1).stderr
    assert "64 hexadecimal" in run("verify-export", str(tmp_path / "out"), "--key", "no", code=2).stderr


def test_an_export_never_overwrites_and_needs_the_key(store: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert "there already" in run("export", str(tmp_path / "out"), "--directory", str(store), code=2).stderr
    (store / "device.key").unlink()
    assert "device.key" in run("export", str(tmp_path / "new"), "--directory", str(store), code=2).stderr
    assert not (store / "device.key").exists()


def test_a_record_that_does_not_hold_is_not_exported(store: Path, tmp_path: Path) -> None:
    damage(store, "UPDATE journal SET hash = x'00' WHERE seq = 7")
    shown = run("export", str(tmp_path / "out"), "--directory", str(store), code=1).stderr
    assert "seq 7" in shown


@pytest.fixture
def salvaged(store: Path) -> Path:
    """A journal damaged at its sixth record, and what a start made of it."""
    damage(store, "UPDATE journal SET record = x'00' WHERE seq = 6")
    (store / "journal.suspect").touch()
    opened = open_store(store, hub="test-hub", at=1, projector=Projector(AREAS))
    opened.db.close()
    opened.lock.close()
    return store


def test_what_was_moved_aside_can_be_looked_at(salvaged: Path) -> None:
    (told,) = facts("salvage-info", "--directory", str(salvaged))["damaged"]
    assert (told["readable"], told["first_bad"], told["proved"], told["hub"]) == (True, 6, 5, "test-hub")
    (salvaged / "journal-damaged-x.db").write_bytes(b"not a database" * 100)
    shown = run("salvage-info", "--directory", str(salvaged)).stdout
    assert "5 records" in shown
    assert "nothing" in shown


def test_an_export_carries_every_incarnation(salvaged: Path, tmp_path: Path) -> None:
    made = export(salvaged, tmp_path / "out")
    assert [(chain["inc"], chain["last"]) for chain in made["chains"]] == [(1, 5), (2, 1)]
    run("verify-export", str(tmp_path / "out"), "--key", made["public_key"])


def test_nothing_was_ever_damaged(store: Path) -> None:
    assert "never damaged" in run("salvage-info", "--directory", str(store)).stdout


def test_what_is_no_journal_is_said(tmp_path: Path) -> None:
    for command in ("verify", "tail", "rebuild"):
        assert "is not there" in run(command, "--directory", str(tmp_path), code=2).stderr
    (tmp_path / FILE).write_bytes(b"no database at all" * 100)
    for command in ("verify", "tail", "rebuild"):
        assert "cannot be read" in run(command, "--directory", str(tmp_path), code=1).stderr
    assert not (tmp_path / "device.key").exists()
