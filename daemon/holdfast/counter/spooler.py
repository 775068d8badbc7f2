"""From spool to paper: one document at a time, drawer kicks beside it, the durable state always a step ahead."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

from holdfast.counter import jobs, spool
from holdfast.counter.ports import Feed, Journal, PaperPort
from holdfast.counter.spool import Job, JobState
from holdfast.domain.jobs import DRAWER
from holdfast.domain.paper import NoteUnknownPaper
from holdfast.runtime.clock import Clock
from holdfast_drivers.values import Document, Printed, PrintResult, Tri

log = logging.getLogger(__name__)

LOOK_S = 5.0
"""The spool is looked at this often even if nobody said that there is something, by the counter's clock."""
KICK_S = 10.0
"""Age at which a drawer kick is dropped: nobody waits for it any more."""
KICK_RETRY_S = 0.5
PAUSE_S = 2.0
"""Before a job that did not begin is tried again."""
ACTOR = "spool"

Compose = Callable[[Job], Awaitable[Document]]
"""The document of a job, as of now."""


class Spooler:
    """Call `recover` once before any command can queue anything, then `run`."""

    def __init__(self, *, journal: Journal, paper: PaperPort, compose: Compose, feed: Feed, clock: Clock) -> None:
        self._journal = journal
        self._paper = paper
        self._compose = compose
        self._feed = feed
        self._clock = clock
        self._stopping = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._wakers = (asyncio.Event(), asyncio.Event())
        self._seen: dict[int, float] = {}
        """Monotonic second each kick was first looked at: a wall clock set back must not open the drawer later."""
        self._kicked: set[int] = set()

    @property
    def printing(self) -> bool:
        """A document is on its way to the paper."""
        return not self._idle.is_set()

    def wake(self) -> None:
        """Something may have been queued."""
        for waker in self._wakers:
            waker.set()

    async def slip(self, kind: str, extra: Mapping[str, Any]) -> None:
        """Queue paper that no event asked for. Returns when it is on disk."""
        await self._journal.desk(spool.put(kind, self._clock.wall_ms(), extra))
        self.wake()

    async def recover(self) -> None:
        """After a start: the kicks and slips of the last run are over."""
        await self._journal.desk(spool.forget_passing)

    async def run(self) -> None:
        """Print and kick until cancelled. May be run again after a failure. What was being printed is in doubt."""
        for row in await self._journal.desk(spool.being_sent):
            await self._doubt(spool.read_job(row), "restart")
        async with asyncio.TaskGroup() as group:
            group.create_task(self._print_all(), name="spool: paper")
            group.create_task(self._kick_all(), name="spool: drawer")
            group.create_task(self._follow(), name="spool: follow")
            group.create_task(self._look(), name="spool: look")

    async def quiesce(self, limit: float) -> None:
        """Begin no further document; wait `limit` seconds at most for the one under way."""
        self._stopping = True
        with suppress(TimeoutError):
            async with asyncio.timeout(limit):
                await self._idle.wait()

    async def _follow(self) -> None:
        """Commands from anywhere queue paper."""
        seq = self._journal.head.seq
        while True:
            seq = (await self._journal.wait_beyond(seq)).seq
            self.wake()

    async def _look(self) -> None:
        """Without being told; and away with slips that no printer came for."""
        while True:
            await self._clock.sleep(LOOK_S)
            for row in await self._journal.query(spool.QUEUED_PASSING, spool.PASSING_KINDS):
                await self._drop_if_past(spool.read_job(row))
            self.wake()

    async def _print_all(self) -> None:
        waker = self._wakers[0]
        while True:
            waker.clear()
            rows = await self._journal.query(spool.NEXT_PAPER, DRAWER)
            if not rows or self._stopping:
                await waker.wait()
                continue
            await self._print(spool.read_job(rows[0]))

    async def _print(self, job: Job) -> None:
        while self._paper.ready() is Tri.NO:
            await self._paper.wait_change()
        if self._stopping or await self._drop_if_past(job):
            return
        self._idle.clear()
        try:
            await self._put_on_paper(job)
        finally:
            self._idle.set()

    async def _drop_if_past(self, job: Job) -> bool:
        """Whether nobody waits for this slip any more; a document always has somebody."""
        past = job.kind in jobs.PASSING and self._clock.wall_ms() - job.at > jobs.PASSING_MS
        if past:
            await self._end(job, JobState.NOT_DONE, "late")
        return past

    async def _put_on_paper(self, job: Job) -> None:
        try:
            document = await self._compose(job)
        except Exception:
            log.exception("job %d (%s of %d) cannot be composed", job.job, job.kind, job.ref)
            await self._doubt(job, "not composed")
            return
        result = await self._paper.print(document, job.job, started=lambda: self._sending(job))
        await self._conclude(job, result)

    async def _sending(self, job: Job) -> None:
        """Durable before the first byte: a crash from here on leaves `unknown`, never a second print."""
        await self._journal.desk(spool.move(job, JobState.SENDING))
        self._publish(job, JobState.SENDING)

    async def _conclude(self, job: Job, result: PrintResult) -> None:
        match result.outcome:
            case Printed.PRINTED:
                await self._end(job, JobState.PRINTED)
            case Printed.UNKNOWN:
                await self._doubt(job, result.reason)
            case Printed.NOT_PRINTED:
                await self._journal.desk(spool.move(job, JobState.QUEUED, result.reason))
                self._publish(job, JobState.QUEUED, result.reason)
                await self._clock.sleep(PAUSE_S)

    async def _doubt(self, job: Job, why: str) -> None:
        """Nobody knows whether it is on paper: say so for the record, offer a copy, never print it by itself."""
        if job.kind in jobs.OWN:
            await self._end(job, JobState.NOT_DONE, why)
            return
        await self._journal.execute(NoteUnknownPaper(job=job.job, kind=job.kind, ref=job.ref, why=why), actor=ACTOR)
        await self._end(job, JobState.UNKNOWN, why)
        await self.slip(jobs.SLIP, {"need": "paper_unknown", "data": {"ref": job.ref}})

    async def _kick_all(self) -> None:
        waker = self._wakers[1]
        while True:
            waker.clear()
            waiting = [spool.read_job(row) for row in await self._journal.query(spool.KICKS, DRAWER)]
            for job in waiting:
                self._seen.setdefault(job.job, self._clock.monotonic())
            left = [job for job in waiting if not await self._kick(job)]
            if left:
                await self._clock.sleep(KICK_RETRY_S)
            else:
                await waker.wait()

    async def _kick(self, job: Job) -> bool:
        """Once per reason (INV-4.7). False: to be tried again, for nothing was sent."""
        if self._clock.monotonic() - self._seen[job.job] > KICK_S:
            await self._end(job, JobState.NOT_DONE, "late")
            return True
        if job.job not in self._kicked:
            self._kicked.add(job.job)
            if not await self._paper.kick():
                self._kicked.discard(job.job)
                return False
        await self._end(job, JobState.KICKED)
        self._kicked.discard(job.job)
        return True

    async def _end(self, job: Job, state: JobState, why: str = "") -> None:
        await self._journal.desk(spool.move(job, state, why))
        self._seen.pop(job.job, None)
        self._publish(job, state, why)

    def _publish(self, job: Job, state: JobState, why: str = "") -> None:
        self._feed.publish(
            {"kind": "paper", "job": job.job, "paper": job.kind, "ref": job.ref, "state": state.value, "why": why}
        )
