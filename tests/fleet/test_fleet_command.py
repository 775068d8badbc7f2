"""`holdfast-fleet`: what people and programs see of the fleet, also while the collector runs."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from fleet.desk import Desk
from fleet.hubs import NOON, FakeHub
from holdfast_contract.wire import STOCK_DIGEST, Presence
from holdfast_fleet import overview
from holdfast_fleet.app import app
from holdfast_fleet.messages import Arrival
from holdfast_fleet.overview import CONDITIONS, SILENT_MS, HubView
from holdfast_fleet.render import json_line, line
from holdfast_fleet.schema import open_reader
from holdfast_fleet.work import Notice

COMMANDS = ("collect", "hubs", "events", "stock", "money", "verify", "digest")


def run(desk: Desk, *words: str, status: int = 0) -> str:
    result = CliRunner().invoke(app, [words[0], "--database", str(desk.path), *words[1:]])
    assert result.exit_code == status, result.output
    return result.output


def data(desk: Desk, *words: str, status: int = 0) -> Any:
    return json.loads(run(desk, *words, "--json", status=status))


def views(desk: Desk, now: int = NOON) -> dict[str, HubView]:
    with closing(open_reader(desk.path)) as db:
        return {view.hub: view for view in overview.hubs(db, now)}


@pytest.mark.parametrize("command", COMMANDS)
def test_help_says_what_a_command_is_for(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert "--json" in result.output
    assert len(result.output.split()) > 30


def test_hubs_come_worst_first(desk: Desk) -> None:
    well, dead, torn = FakeHub("well").trade(2), FakeHub("dead").trade(2), FakeHub("torn").trade(5)
    desk.give(well.birth(), well.batch())
    desk.give(dead.birth(), dead.batch(), dead.status(Presence.LOST))
    desk.give(torn.birth(), torn.batch(1, 3), torn.batch(6, torn.last))
    assert [row["hub"] for row in data(desk, "hubs")] == ["torn", "dead", "well"]
    text = run(desk, "hubs")
    assert text.index("torn") < text.index("dead") < text.index("well")


def test_a_hub_row_says_how_far_it_is(desk: Desk) -> None:
    hub = FakeHub().trade(40)
    desk.give(hub.birth(), hub.batch(1, 20), hub.batch(1, 5))
    desk.give(hub.report((1, STOCK_DIGEST, hub.digest(20))))
    view = views(desk)[hub.name]
    assert (view.upto, view.behind, view.duplicates, view.inc) == (20, hub.last - 20, 5, 1)
    assert (view.digest, view.digest_as_of, view.clock, view.software) == ("equal", 20, "synced", "1.2.3")
    assert view.condition == "behind"
    assert view.clock_offset_ms == view.seen_at - NOON


def test_a_retained_birth_delivered_again_is_no_sign_of_life(desk: Desk) -> None:
    hub = FakeHub()
    desk.give(hub.birth())
    desk.store._db.execute("UPDATE hub SET seen_at = 5")
    desk.give(hub.birth(), hub.status(Presence.ONLINE))
    assert views(desk)[hub.name].seen_at == 5


def test_a_clock_off_by_anything_stops_nothing(desk: Desk) -> None:
    hub = FakeHub().trade(3)
    desk.give(hub.batch(1, 2, sent=2**64 - 1), hub.batch(3, 4, sent=-(2**63)), hub.batch(5, hub.last, sent=0))
    assert views(desk)[hub.name].upto == hub.last
    assert "clock off" in run(desk, "hubs")


def worst(desk: Desk, condition: str) -> None:
    """Bring hub-1 into `condition`."""
    hub = FakeHub().trade(30)
    digest = hub.report((1, STOCK_DIGEST, hub.digest(3, stock=b"x" * 32)))
    steps: dict[str, list[Arrival]] = {
        "online": [hub.birth(), hub.batch()],
        "draining": [hub.birth(), hub.batch(), hub.status(Presence.DRAINING)],
        "offline": [hub.birth(), hub.batch(), hub.status(Presence.OFFLINE)],
        "unknown": [hub.batch()],
        "behind": [hub.birth(), hub.batch(1, 5)],
        "silent": [hub.birth(), hub.batch()],
        "lost": [hub.birth(), hub.batch(1, 5), hub.status(Presence.LOST)],
        "gap": [hub.birth(), hub.batch(1, 3), hub.batch(8, hub.last)],
        "rejected": [hub.birth(), hub.batch(prev=b"")],
        "digest_differs": [hub.birth(), hub.batch(), digest],
        "fork": [hub.birth(), hub.batch(), digest, FakeHub(jid=2).batch()],
    }
    desk.give(*steps[condition])


@pytest.mark.parametrize("condition", CONDITIONS)
def test_the_worst_of_what_applies_is_shown(desk: Desk, condition: str) -> None:
    worst(desk, condition)
    seen = views(desk)["hub-1"].seen_at
    assert views(desk, seen + 1)["hub-1"].condition == ("online" if condition == "silent" else condition)
    if condition == "silent":
        assert views(desk, seen + SILENT_MS + 1)["hub-1"].condition == "silent"


def test_an_answered_rejection_is_history(desk: Desk) -> None:
    hub = FakeHub().trade(2)
    desk.give(hub.birth(), hub.batch(prev=b""))
    assert views(desk)["hub-1"].condition == "rejected"
    desk.give(hub.batch())
    view = views(desk)["hub-1"]
    assert (view.condition, view.quarantined) == ("online", 1)


def test_events_are_named_readable_and_the_newest(desk: Desk) -> None:
    hub = FakeHub().trade(3)
    hub.emit_raw("drone.landed", "pad", msgspec.msgpack.encode({"x": b"\x01\xff", "y": {5: [1]}}))
    desk.give(hub.batch())
    found = data(desk, "events", hub.name, "--tail", "2")
    assert [row["seq"] for row in found] == [hub.last - 1, hub.last]
    assert found[0]["body"]["lines"] == [["SKU-2", 3, 500, 0, 0, 1]]
    assert found[1]["body"] == {"x": "01ff", "y": {"5": [1]}}
    assert found[1]["flag"] == "unknown_type"
    received = data(desk, "events", hub.name, "--type", "stock.received")
    assert [row["body"]["moves"][0][0] for row in received] == ["SKU-0", "SKU-1", "SKU-2"]
    assert "drone.landed" in run(desk, "events", hub.name)


def test_what_a_hub_says_is_never_obeyed_by_the_terminal(desk: Desk) -> None:
    hub = FakeHub()
    hub.emit_raw("evil.spoken", "\x1b[2J[bold]", msgspec.msgpack.encode({"x": "\x1b]0;owned\x07"}))
    hub.receive("[red]\x1b[31m", 5)
    desk.give(hub.batch())
    shown = run(desk, "events", hub.name) + run(desk, "stock", hub.name)
    assert "\x1b" not in shown
    assert "[bold]" in shown
    assert "[red]" in shown


def test_events_of_a_lost_incarnation_are_marked(desk: Desk) -> None:
    old = FakeHub().trade(3)
    new = FakeHub(jid=8, prior=old, prior_seq=old.last - 2).trade(1)
    desk.give(old.batch(), new.batch())
    orphaned = [(row["inc"], row["seq"]) for row in data(desk, "events", old.name, "--tail", "99") if row["orphaned"]]
    assert orphaned == [(1, old.last - 1), (1, old.last)]
    assert views(desk)[old.name].orphans == 2


def test_stock_and_money_are_the_hubs_own(desk: Desk) -> None:
    hub = FakeHub().trade(9)
    desk.give(hub.batch())
    stock = data(desk, "stock", hub.name)
    assert (stock["inc"], stock["as_of_seq"]) == (1, hub.last)
    assert stock["stock"]["SKU-1"] == {"sellable": hub.stock_at(hub.last)["SKU-1", 1]}
    everywhere = data(desk, "stock", hub.name, "SKU-1", "--all")["stock"]
    assert list(everywhere) == ["SKU-1"]
    assert sum(everywhere["SKU-1"].values()) == 0
    money = data(desk, "money", hub.name)["money"]
    assert money == hub.money_at(hub.last)
    assert sum(money.values()) == 0
    assert "SKU-1" in run(desk, "stock", hub.name)
    assert "tender:cash" in run(desk, "money", hub.name)


def test_verify_and_digest_fail_with_status_1(desk: Desk) -> None:
    hub = FakeHub().trade(5)
    desk.give(hub.batch(), hub.report((1, STOCK_DIGEST, hub.digest(4))))
    assert data(desk, "verify", hub.name)[0]["problem"] == ""
    assert data(desk, "digest", hub.name)[0]["verdict"] == "equal"
    desk.give(hub.report((2, STOCK_DIGEST, hub.digest(5, money=b"x" * 32))))
    assert "differs" in run(desk, "digest", hub.name, status=1)
    desk.store._db.execute("UPDATE event SET hash = x'00' WHERE seq = 7")
    found = data(desk, "verify", hub.name, status=1)
    assert (found[0]["bad_seq"], found[0]["problem"], found[0]["records"]) == (7, "hash", 6)
    assert "BAD: hash" in run(desk, "verify", hub.name, status=1)


@pytest.mark.parametrize("command", ["events", "stock", "money", "verify", "digest"])
def test_a_hub_never_heard_of_is_said_so(desk: Desk, command: str) -> None:
    assert "no hub 'ghost'" in run(desk, command, "ghost", status=2)


def test_a_missing_database_is_said_so_and_not_made(tmp_path: Path) -> None:
    path = tmp_path / "none.db"
    result = CliRunner().invoke(app, ["hubs", "--database", str(path)])
    assert result.exit_code == 2
    assert "cannot read" in result.output
    assert not path.exists()


def test_reading_works_after_the_collector_has_gone_and_changes_nothing(tmp_path: Path) -> None:
    hub = FakeHub().trade(2)
    with Desk(tmp_path / "fleet.db") as desk:
        desk.give(hub.batch())
    before = desk.path.read_bytes()
    assert data(desk, "hubs")[0]["upto"] == hub.last
    assert desk.path.read_bytes() == before
    with closing(open_reader(desk.path)) as db, pytest.raises(Exception, match="readonly"):
        db.execute("DELETE FROM event")


async def test_a_wrong_database_ends_collect_with_words(tmp_path: Path) -> None:
    path = tmp_path / "fleet.db"
    path.write_bytes(b"this is no database, it is a letter to the fleet " * 100)
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from holdfast_fleet.app import main; main()",
        "collect", "--database", str(path), "--broker", "mqtt://127.0.0.1:1",
        stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    async with asyncio.timeout(20):
        _, errors = await child.communicate()
    assert child.returncode == 2
    assert errors.decode().startswith(f"cannot use {path}: ")
    assert len(errors.splitlines()) == 1


def test_lines_are_for_people_and_json_for_programs() -> None:
    fork = Notice("fork", "hub-1", {"inc": 1, "seq": 7, "why": ""})
    assert line(fork).endswith("Z hub-1 fork inc=1 seq=7")
    assert line(Notice("ready")).startswith("READY ")
    parsed = json.loads(json_line(fork))
    assert parsed.pop("at") > NOON
    assert parsed == {"kind": "fork", "hub": "hub-1", "inc": 1, "seq": 7, "why": ""}
