"""Random `kill -9` of the daemon under load. What it acknowledged to people is remembered here, outside of it."""

from __future__ import annotations

import random
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from holdfast.domain.core import Outcome
from holdfast.domain.registry import AREAS
from holdfast.journal.projector import Projector
from holdfast.journal.schema import connect_read
from holdfast.journal.store import FILE
from holdfast.journal.verify import projections_agree, verify_chain
from holdfast_contract.events import decode_body
from holdfast_contract.record import decode_record
from holdfast_contract.sale import SaleCompleted
from system.daemon import Caller, Hub, new_id

STATIONS = ("t1", "t2", "t3", "t4")
CATALOGUE = "sku,name,price,tax_category,tax_rate\n" + "".join(f"S{n},Thing {n},{n}.50,S,20\n" for n in range(1, 21))


@dataclass
class Ledger:
    """What the callers were told: the only truth the daemon did not write itself."""

    acked: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Command id to answer."""
    changed: list[str] = field(default_factory=list)
    """Ids whose answer differed when asked again."""
    in_flight: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, command_id: str, answer: dict[str, Any]) -> None:
        with self.lock:
            self.in_flight.discard(command_id)
            if self.acked.setdefault(command_id, answer) != answer:
                self.changed.append(command_id)


@dataclass(frozen=True)
class Verdict:
    kills: int
    in_flight: int
    """Kills with at least one command under way."""
    acked: int
    sales: int
    lost: int
    doubled: int
    changed: int
    gapless: bool
    sound: bool


class Till(threading.Thread):
    """One station that sells and sells; an unanswered command is asked again with its id until it is answered."""

    def __init__(self, hub: Hub, station: str, ledger: Ledger, done: threading.Event, seed: int) -> None:
        super().__init__(name=f"till {station}", daemon=True)
        self._hub = hub
        self._station = station
        self._ledger = ledger
        self._done = done
        self._dice = random.Random(seed)
        self._caller: Caller | None = None

    def run(self) -> None:
        while not self._done.is_set():
            for _ in range(self._dice.randrange(1, 5)):
                self._do("cart.add_item", code=f"S{self._dice.randrange(1, 21)}", qty=self._dice.randrange(1, 4))
            self._do("sale.pay_cash", tendered=None)
        if self._caller is not None:
            self._caller.close()

    def _do(self, command: str, **fields: Any) -> None:
        command_id = new_id()
        body = {"do": command, "id": command_id, "station": self._station, **fields}
        with self._ledger.lock:
            self._ledger.in_flight.add(command_id)
        while True:
            try:
                answer = self._ask(body)
                break
            except OSError:
                self._caller = None
                if self._done.wait(0.01):
                    return
        self._ledger.note(command_id, answer)
        if self._dice.random() < 0.05:
            self._again(body, command_id)

    def _again(self, body: dict[str, Any], command_id: str) -> None:
        """A caller that did not trust its own eyes."""
        try:
            self._ledger.note(command_id, self._ask(body))
        except OSError:
            self._caller = None

    def _ask(self, body: dict[str, Any]) -> dict[str, Any]:
        if self._caller is None:
            self._caller = Caller(self._hub.socket)
        return self._caller.ask("POST", "/v1/commands", body)


def crash(directory: Path, *, kills: int, seed: int, program: Path | None = None) -> Verdict:
    """Sell on four stations, kill and restart `kills` times, stop in order, and hold the journal to what was told."""
    dice = random.Random(seed)
    hub = Hub(directory, stations=STATIONS, program=program).start()
    ledger, done = Ledger(), threading.Event()
    answer = hub.ask("POST", "/v1/catalogue", CATALOGUE)
    assert answer["ok"], answer
    hub.do("shift.open", station="t1", float_in=10_000)
    tills = [Till(hub, station, ledger, done, seed + n) for n, station in enumerate(STATIONS)]
    for till in tills:
        till.start()
    busy = 0
    for _ in range(kills):
        time.sleep(dice.uniform(0.02, 0.25))
        busy += bool(ledger.in_flight)
        hub.kill()
        hub.start()
    time.sleep(0.2)
    done.set()
    for till in tills:
        till.join(30)
    assert hub.stop() == 0
    return judge(directory / "state", ledger, kills=kills, busy=busy)


def judge(state: Path, ledger: Ledger, *, kills: int, busy: int) -> Verdict:
    """The journal against what its callers were told."""
    with closing(connect_read(state / FILE)) as db:
        outcomes = {
            row[0].hex(): msgspec.msgpack.decode(row[1], type=Outcome)
            for row in db.execute("SELECT id, outcome FROM outcome")
        }
        records = [decode_record(row[0]) for row in db.execute("SELECT record FROM journal ORDER BY seq")]
        chain_ok = verify_chain(db).ok
    sales = [(record, body) for record in records if isinstance(body := decode_body(record), SaleCompleted)]
    numbers = [body.number for _, body in sales]
    causes = [record.cause.hex() for record, _ in sales]
    lost = [
        command_id
        for command_id, answer in ledger.acked.items()
        if command_id not in outcomes
        or outcomes[command_id].ok != answer["ok"]
        or (answer["ok"] and outcomes[command_id].data.get("number") != answer["data"].get("number"))
    ]
    return Verdict(
        kills=kills,
        in_flight=busy,
        acked=len(ledger.acked),
        sales=len(sales),
        lost=len(lost),
        doubled=len(causes) - len(set(causes)),
        changed=len(ledger.changed),
        gapless=numbers == list(range(1, len(numbers) + 1)),
        sound=chain_ok and projections_agree(state / FILE, Projector(AREAS)),
    )
