"""The print spool: paper once or not at all by itself, never silently none; the drawer at once or never."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from counter.till import CANDLE, NOW, Counter, Paper, card, journal_at, open_counter, running, stock_shop
from holdfast.domain.cart import AddItem
from holdfast.domain.core import Command, Outcome
from holdfast.domain.sale import PayCash
from holdfast.journal.journal import Journal
from holdfast.runtime.clock import ManualClock
from holdfast_contract.shift import PaperOutcomeUnknown
from holdfast_drivers.values import Barcode, Document, Printed, PrintResult, Tri

NOT_PRINTED = PrintResult(Printed.NOT_PRINTED, reason="cover_open")
UNKNOWN = PrintResult(Printed.UNKNOWN, reason="unplugged")


def texts(document: Document) -> list[str]:
    return [str(getattr(block, "text", "")) for block in document.blocks]


async def test_a_sale_kicks_the_drawer_and_prints_its_receipt(tmp_path: Path) -> None:
    async with open_counter(tmp_path, spool=True) as till:
        await till.ok(CANDLE, card("CASH"))
        await till.until_spool("kicked", "printed")
        assert (till.paper.kicks, len(till.paper.printed)) == (1, 1)
        await till.until(lambda: sum(item["kind"] == "paper" for item in till.told) == 3)
        states = [(item["paper"], item["state"]) for item in till.told if item["kind"] == "paper"]
        assert sorted(states) == [("drawer", "kicked"), ("receipt", "printed"), ("receipt", "sending")]


async def test_what_was_proved_not_printed_is_tried_again(tmp_path: Path) -> None:
    async with open_counter(tmp_path, spool=True) as till:
        till.paper.results = [NOT_PRINTED, NOT_PRINTED]
        await till.ok(card("XREPORT"))
        for left in (1, 0):
            await till.until(lambda left=left: len(till.paper.results) == left)  # type: ignore[misc]  # bound early
            await till.until_spool("queued")
            await asyncio.sleep(0.01)
            till.clock.advance(2)
        await till.until_spool("printed")
        assert len(till.paper.printed) == 1


async def test_a_doubtful_print_is_an_event_an_offer_and_never_a_second_print(tmp_path: Path) -> None:
    async with open_counter(tmp_path, spool=True) as till:
        till.paper.results = [UNKNOWN]
        await till.ok(CANDLE, card("CASH"))
        await till.until_spool("kicked", "unknown", "printed")
        assert [(each.kind, each.why) for each in await till.facts(PaperOutcomeUnknown)] == [("receipt", "unplugged")]
        offer = till.paper.printed[-1][1]
        assert "TST-1-R000001" in texts(offer)
        assert any(isinstance(block, Barcode) for block in offer.blocks)
        await till.ok(card("REPRINT"))
        await till.until_spool("kicked", "unknown", "printed", "printed")
        assert "COPY 1" in texts(till.paper.printed[-1][1])


async def test_a_printer_without_paper_holds_up_neither_scans_nor_drawer(tmp_path: Path) -> None:
    async with open_counter(tmp_path, spool=True) as till:
        till.paper.turn(Tri.NO)
        for _ in range(3):
            await till.ok(CANDLE, card("CASH"))
        await till.until(lambda: till.paper.kicks == 3)
        assert till.paper.printed == []
        till.clock.advance(301)
        till.paper.turn(Tri.YES)
        await till.until(lambda: len(till.paper.printed) == 3)
        assert all("LATE" in texts(document) for _, document in till.paper.printed)


async def test_one_document_at_a_time_in_order(tmp_path: Path) -> None:
    async with open_counter(tmp_path, spool=True) as till:
        till.paper.gate = asyncio.Event()
        await till.ok(CANDLE, card("CASH"), CANDLE, card("CASH"))
        await till.until(lambda: till.paper.kicks == 2)
        states = [state for kind, state in await till.spool() if kind == "receipt"]
        assert states.count("sending") <= 1
        till.paper.gate.set()
        await till.until(lambda: len(till.paper.printed) == 2)
        jobs = [job for job, _ in till.paper.printed]
        assert jobs == sorted(jobs)


async def test_a_slip_nobody_waits_for_any_more_is_dropped(tmp_path: Path) -> None:
    async with open_counter(tmp_path, spool=True) as till:
        till.paper.turn(Tri.NO)
        await till.refused("nothing")
        await till.ok(CANDLE, card("PARK"))
        await asyncio.sleep(0.05)
        till.clock.advance(61)
        till.paper.turn(Tri.YES)
        await till.until_spool("not_done", "printed")


async def test_slips_do_not_pile_up_where_there_is_no_printer(tmp_path: Path) -> None:
    async with open_counter(tmp_path, spool=True) as till:
        till.paper.turn(Tri.NO)
        await till.refused("nothing")
        await till.ok(card("PRICE"), CANDLE, card("STATUS"))
        await asyncio.sleep(0.01)
        till.clock.advance(61)
        await till.until_spool(*["not_done"] * 4)


async def test_inv_4_7_a_kick_is_at_once_or_never(tmp_path: Path) -> None:
    async with open_counter(tmp_path, spool=True) as till:
        till.paper.has_drawer = False
        await till.ok(CANDLE, card("CASH"))
        await till.until_spool("queued", "printed")
        await asyncio.sleep(0.02)
        till.clock.advance(11)
        await till.until_spool("not_done", "printed")
        till.paper.has_drawer = True
        await till.ok(CANDLE, card("CASH"))
        await till.until_spool("not_done", "printed", "kicked", "printed")
        assert till.paper.kicks == 1


async def test_inv_4_7_a_printer_that_comes_in_time_kicks_once(tmp_path: Path) -> None:
    async with open_counter(tmp_path, spool=True) as till:
        till.paper.has_drawer = False
        await till.ok(CANDLE, card("CASH"))
        await till.until_spool("queued", "printed")
        till.paper.has_drawer = True
        await asyncio.sleep(0.02)
        till.clock.advance(1)
        await till.until_spool("kicked", "printed")
        till.clock.advance(60)
        await asyncio.sleep(0.02)
        assert till.paper.kicks == 1


async def test_paper_that_cannot_be_composed_stops_nothing_and_is_told(tmp_path: Path) -> None:
    async with open_counter(tmp_path, spool=True) as till:
        await till.journal.desk(
            lambda db: db.execute("INSERT INTO spool VALUES (1, 'receipt', 1, 'queued', 0, NULL, NULL)")
        )
        await till.ok(card("XREPORT"))
        await till.until_spool("unknown", "printed", "printed")
        assert [each.why for each in await till.facts(PaperOutcomeUnknown)] == ["not composed"]


async def test_quiesce_finishes_the_document_under_way_and_begins_no_other(tmp_path: Path) -> None:
    async with open_counter(tmp_path, spool=True) as till:
        till.paper.gate = asyncio.Event()
        await till.ok(card("XREPORT"), card("XREPORT"))
        await till.until_spool("sending", "queued")
        stopping = asyncio.create_task(till.spooler.quiesce(20))
        await asyncio.sleep(0.01)
        assert not stopping.done()
        till.paper.gate.set()
        await stopping
        await till.until_spool("printed", "queued")
        await asyncio.sleep(0.02)
        assert len(till.paper.printed) == 1


async def test_quiesce_does_not_wait_for_ever(tmp_path: Path) -> None:
    async with open_counter(tmp_path, spool=True) as till:
        till.paper.gate = asyncio.Event()
        await till.ok(card("XREPORT"))
        await till.until_spool("sending")
        await till.spooler.quiesce(0.05)
        assert till.paper.printed == []
        till.paper.gate.set()


class PulledPlugError(Exception):
    """The power went."""


class Plug:
    """Counts the steps the spooler takes and pulls itself out before one of them."""

    def __init__(self, last: int) -> None:
        self.steps = 0
        self._last = last

    def step(self) -> None:
        self.steps += 1
        if self.steps > self._last:
            raise PulledPlugError


class PluggedJournal:
    """Every write is two steps: before it, and after it but before anyone knows."""

    def __init__(self, journal: Journal, plug: Plug) -> None:
        self._journal, self._plug = journal, plug

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    async def desk(self, function: Callable[..., Any]) -> Any:
        return await self._around(self._journal.desk(function))

    async def execute(self, command: Command, *, actor: str, command_id: bytes | None = None) -> Outcome:
        return await self._around(self._journal.execute(command, actor=actor, command_id=command_id))  # type: ignore[no-any-return]  # passed through

    async def _around(self, write: Awaitable[Any]) -> Any:
        try:
            self._plug.step()
        except PulledPlugError:
            write.close()  # type: ignore[attr-defined]  # a coroutine that will never run
            raise
        result = await write
        self._plug.step()
        return result


class PluggedPaper(Paper):
    """What is on paper and how often the drawer sprang stays, whatever happens to the hub."""

    plug: Plug

    async def print(self, document: Document, job: int, *, started: Callable[[], Awaitable[None]]) -> PrintResult:
        self.plug.step()
        await started()
        self.plug.step()
        self.printed.append((job, document))
        self.plug.step()
        return self.results.pop(0) if self.results else PrintResult(Printed.PRINTED)

    async def kick(self) -> bool:
        self.plug.step()
        self.kicks += 1
        self.plug.step()
        return True


@asynccontextmanager
async def spooling(directory: Path, paper: PluggedPaper, plug: Plug) -> AsyncIterator[Counter]:
    """One life of a hub's spooler, until the plug is pulled or the spool is settled."""
    paper.plug = plug
    async with journal_at(directory, ManualClock(monotonic=5.0, wall_ms=NOW)) as journal:
        counter = Counter(journal, ManualClock(monotonic=5.0, wall_ms=NOW), paper=paper)
        counter.spooler._journal = PluggedJournal(journal, plug)
        yield counter


async def live(counter: Counter, *, fresh: bool) -> None:
    """Recover and print until nothing is open. Raises PulledPlugError out of its tasks."""

    async def settled() -> None:
        while True:
            if not await counter.journal.query("SELECT 1 FROM spool WHERE state IN ('queued', 'sending')"):
                return
            await asyncio.sleep(0.001)

    try:
        if not fresh:
            await counter.spooler.recover()
        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            run = group.create_task(counter.spooler.run())
            await settled()
            run.cancel()
    except* PulledPlugError:
        pass


def faults(documents: list[int], states: dict[int, str], printed: list[int]) -> Iterator[str]:
    """What must not be: paper twice by itself, or none and nobody told."""
    for job in documents:
        count = printed.count(job)
        if count > 1:
            yield f"job {job} was printed {count} times"
        if count == 0 and states[job] != "unknown":
            yield f"job {job} is {states[job]} and not on paper"


async def sell(directory: Path) -> None:
    async with journal_at(directory, ManualClock(wall_ms=NOW)) as journal:
        await stock_shop(journal)
        await journal.execute(AddItem(station="till1", code=CANDLE.zfill(14)), actor="ANNA")
        assert (await journal.execute(PayCash(station="till1"), actor="ANNA")).ok


@pytest.mark.parametrize("doubtful", [False, True], ids=["printer sure", "printer unsure"])
async def test_pulling_the_plug_at_any_step_prints_never_twice_and_never_silently_none(
    tmp_path: Path, doubtful: bool
) -> None:
    for last in range(200):
        directory = tmp_path / str(last)
        await sell(directory)
        paper = PluggedPaper(results=[UNKNOWN] if doubtful else [])
        plug = Plug(last)
        async with spooling(directory, paper, plug) as hub:
            await live(hub, fresh=True)
        async with spooling(directory, paper, Plug(10_000)) as hub:
            await live(hub, fresh=False)
            rows = await hub.journal.query("SELECT job, kind, state FROM spool")
            states = {job: state for job, _, state in rows}
            events = [int(each.ref) for each in await hub.facts(PaperOutcomeUnknown)]
        documents = [job for job, kind, _ in rows if kind == "receipt"]
        printed = [job for job, _ in paper.printed]
        assert list(faults(documents, states, printed)) == [], last
        assert len(events) == list(states.values()).count("unknown")
        assert paper.kicks <= 1, last
        if plug.steps <= last:
            break
    else:
        raise AssertionError("the spool never came to rest")
    assert last >= 8


def test_the_check_itself_finds_a_second_print_and_a_silent_loss() -> None:
    assert list(faults([1], {1: "printed"}, [1, 1])) == ["job 1 was printed 2 times"]
    assert list(faults([1], {1: "not_done"}, [])) == ["job 1 is not_done and not on paper"]
    assert list(faults([1, 2], {1: "unknown", 2: "printed"}, [2])) == []


async def test_after_a_restart_the_queued_prints_and_the_kick_is_dropped(tmp_path: Path) -> None:
    await sell(tmp_path)
    clock = ManualClock(wall_ms=NOW + 6 * 60_000)
    async with journal_at(tmp_path, clock) as journal:
        till = Counter(journal, clock)
        await till.spooler.recover()
        async with running(till.spooler.run):
            await till.until_spool("not_done", "printed")
        assert till.paper.kicks == 0
        assert "LATE" in texts(till.paper.printed[0][1])


async def test_a_failure_at_any_step_and_another_start_in_the_same_process_kick_and_print_once(tmp_path: Path) -> None:
    for last in range(200):
        directory = tmp_path / str(last)
        await sell(directory)
        paper, plug = PluggedPaper(), Plug(last)
        async with spooling(directory, paper, plug) as hub:
            await live(hub, fresh=True)
            paper.plug = Plug(10_000)
            hub.spooler._journal = hub.journal
            await live(hub, fresh=True)
            states = dict(await hub.journal.query("SELECT job, state FROM spool WHERE kind = 'receipt'"))
        assert list(faults(list(states), states, [job for job, _ in paper.printed])) == [], last
        assert paper.kicks <= 1, last
        if plug.steps <= last:
            return
    raise AssertionError("the spool never came to rest")


async def test_what_the_writer_had_yet_to_store_when_a_life_ended_is_in_doubt_in_the_next(tmp_path: Path) -> None:
    """A life that is cancelled leaves its last write with the writer; the next one must not look before it is done."""
    await sell(tmp_path)
    async with journal_at(tmp_path, ManualClock(wall_ms=NOW)) as journal:
        till = Counter(journal, ManualClock(wall_ms=NOW), paper=Paper(has_drawer=False))
        waiting = asyncio.Event()
        held = threading.Event()
        stalls: list[asyncio.Task[bool]] = []

        async def paper_begins(*_: Any, started: Callable[[], Awaitable[None]]) -> PrintResult:
            stalls.append(asyncio.create_task(journal.desk(lambda _: held.wait(20))))
            await asyncio.sleep(0)
            waiting.set()
            await started()
            raise AssertionError("the life had ended")

        really, till.paper.print = till.paper.print, paper_begins  # type: ignore[method-assign]  # the first life's
        async with running(till.spooler.run):
            await asyncio.wait_for(waiting.wait(), 10)
            await asyncio.sleep(0.01)
        till.paper.print = really  # type: ignore[method-assign]
        async with running(till.spooler.run):
            await asyncio.sleep(0.05)
            held.set()
            await till.until(lambda: len(till.paper.printed) == 1)
            states = dict(await journal.query("SELECT kind, state FROM spool WHERE kind <> 'drawer'"))
        await asyncio.gather(*stalls)
        assert states["receipt"] == "unknown"
