"""The whole daemon on a machine of files: what goes wrong with it reaches a technician and headquarters' queue."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from board_tree import ALARM, BoardTree
from holdfast_contract.board import Change
from holdfast_contract.wire import Telemetry
from system.daemon import Hub

MORE = """
[board]
root = "{d}/machine"
[uplink]
host = "127.0.0.1"
port = 9
tls = false
"""


def eventually(look: Callable[[], Any], seconds: float = 30) -> Any:
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, "never came"
        time.sleep(0.05)
    return seen


def diagnostics(file: Path) -> list[tuple[str, Change]]:
    with sqlite3.connect(file) as db:
        rows = db.execute("SELECT record FROM record WHERE stream = 'dg' ORDER BY seq").fetchall()
    records = [msgspec.msgpack.decode(record, type=Telemetry) for (record,) in rows]
    return [(record.name, msgspec.msgpack.decode(record.body, type=Change)) for record in records]


def test_a_sagging_supply_reaches_the_technician_and_headquarters_queue(tmp_path: Path) -> None:
    tree = BoardTree(tmp_path / "machine", tmp_path)
    hub = Hub(tmp_path, stations=("t1",))
    hub.config.write_text(hub.config.read_text() + MORE.format(d=tmp_path))
    hub.start()
    try:
        findings = eventually(lambda: hub.ask("GET", "/v1/board")["findings"])
        assert {one["topic"]: one["well"] for one in findings}["supply"] == "yes"
        tree.write(ALARM, "1")

        def supply() -> dict[str, Any]:
            board = hub.ask("GET", "/v1/status")["board"]
            return next(one for one in board["findings"] if one["topic"] == "supply")

        eventually(lambda: supply()["key"] == "undervoltage")
        assert "thick cable" in supply()["remedy"]
        devices = {one["name"]: one for one in hub.ask("GET", "/v1/devices")["devices"]}
        assert (devices["board"]["state"], devices["board"]["facts"]["supply"]) == ("online", "undervoltage")
    finally:
        assert hub.stop() == 0
    told = diagnostics(tmp_path / "state/telemetry.db")
    assert [item for item in told if item[1].topic != "clock"] == [  # the clock is this machine's own
        ("board.finding", Change(topic="supply", well="no", key="undervoltage", value="the 5 V rail is too low"))
    ]
