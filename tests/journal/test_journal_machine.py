"""The journal against a list: any order of commands, repeats, restarts and power cuts ends in what was acknowledged."""

from __future__ import annotations

import random
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from holdfast.domain.core import Command, Outcome
from holdfast.journal.store import FILE
from holdfast.journal.verify import replay_digest, verify_chain
from journal.rig import PROJECTOR, Rig
from journal.toy import Break, Put, Refuse
from support.faulty import Disk, Image

SKUS = st.sampled_from(["a", "b", "c"])


class JournalMachine(RuleBasedStateMachine):
    """What the journal acknowledged, as a list; what it holds must be that, after every step."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="holdfast-machine-"))
        self.generation = 0
        self.model: list[tuple[int, Command, Outcome]] = []
        self.number = 0

    @initialize()
    def begin(self) -> None:
        self._open()

    def _open(self) -> None:
        self.disk = Disk()
        self.rig = Rig(self.root / str(self.generation), self.disk)
        self.rig.asked = self.number

    def _ask(self, command: Command) -> Any:
        outcome = self.rig.ask(command)
        self.number = self.rig.asked
        return outcome

    @rule(sku=SKUS, qty=st.integers(1, 9))
    def put(self, sku: str, qty: int) -> None:
        command = Put(sku=sku, qty=qty, times=2)
        number = self.number
        outcome = self._ask(command)
        assert outcome.ok
        self.model.append((number, command, outcome))

    @rule(sku=SKUS)
    def refuse(self, sku: str) -> None:
        assert self._ask(Refuse(sku=sku)).reason == "no_price"

    @rule()
    def break_down(self) -> None:
        assert self._ask(Break()).reason == "fault"

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def ask_again(self, data: st.DataObject) -> None:
        number, command, outcome = data.draw(st.sampled_from(self.model))
        assert self.rig.ask(command, number) == outcome
        assert self.rig.ask(Put(sku="other"), number).reason == "idempotency_conflict"

    @rule()
    def restart(self) -> None:
        self.rig.__exit__()
        self._open()

    @rule(seed=st.integers(0, 2**16))
    def pull_the_plug(self, seed: int) -> None:
        survivor = self.root / str(self.generation + 1)
        self.disk.cut(survivor, random.Random(seed))
        self.rig.__exit__()
        self.generation += 1
        self._open()

    @invariant()
    def the_projection_is_the_fold_of_what_was_acknowledged(self) -> None:
        if not hasattr(self, "rig"):
            return
        folded: dict[str, int] = {}
        for _, command, _ in self.model:
            assert isinstance(command, Put)
            folded[command.sku] = folded.get(command.sku, 0) + command.qty * command.times
        rows = self.rig._opened.db.execute("SELECT sku, qty FROM toy WHERE place = 1").fetchall()
        assert dict(rows) == folded

    def teardown(self) -> None:
        if hasattr(self, "rig"):
            self.rig.__exit__()
            sound(self.root / str(self.generation), events=2 * len(self.model))
        shutil.rmtree(self.root, ignore_errors=True)


def sound(directory: Path, *, events: int) -> None:
    """Chain, projections and number of events of a closed journal."""
    with closing(sqlite3.connect(directory / FILE)) as db:
        assert verify_chain(db).ok, "G-1"
        assert PROJECTOR.digest(db) == replay_digest(db, PROJECTOR), "G-2"
        assert db.execute("SELECT max(seq) - 1 FROM journal").fetchone() == (events,), "G-3, G-9"


def play(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        JournalMachine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_g_1_g_2_g_3_g_9_any_order_of_commands_restarts_and_cuts() -> None:
    play(examples=15, steps=25)


def test_g_9_control_a_disk_that_does_not_sync_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "sync", lambda _: None)
    with pytest.raises((AssertionError, sqlite3.Error, KeyError)):
        play(examples=15, steps=25)


@pytest.mark.proof
@pytest.mark.timeout(1800)
def test_g_1_g_2_g_3_g_9_a_thousand_histories() -> None:
    play(examples=1000, steps=50)
