"""Between the broker and the store: arrivals wait here, go to disk in groups on one thread, and come out committed."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from holdfast_fleet.messages import Arrival
from holdfast_fleet.store import Committed, Store
from holdfast_fleet.work import Notice

GROUP_MESSAGES = 64
"""Arrivals of one transaction at most: some tens of thousands of events, well under a second."""
GROUP_BYTES = 4 * 1024 * 1024
WAITING_BYTES = 64 * 1024 * 1024
"""Beyond it arrivals are dropped; nothing dropped was acknowledged, so hubs send it again."""
RETRY_SECONDS = 1.0


class Intake:
    """Takes arrivals on the event loop, commits them off it. `deliver` is called on the loop after each commit.

    When the storage fails the group is kept and tried again each second. `say` hears of that, and of drops.
    """

    def __init__(
        self, open_store: Callable[[], Store], *, deliver: Callable[[Committed], None], say: Callable[[Notice], None]
    ) -> None:
        self._open_store = open_store
        self._deliver = deliver
        self._say = say
        self._waiting: deque[Arrival] = deque()
        self._bytes = 0
        self._some = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self.trouble = ""
        """Why the storage does not commit; empty when it does."""
        self._dropped = 0

    def put(self, arrival: Arrival) -> None:
        """Never waits."""
        if self._bytes + len(arrival.payload) > WAITING_BYTES:
            self._drop()
            return
        self._waiting.append(arrival)
        self._bytes += len(arrival.payload)
        self._some.set()
        self._idle.clear()

    def _drop(self) -> None:
        self._dropped += 1
        if str(self._dropped).rstrip("0") == "1":  # 1, 10, 100, ...
            self._say(Notice("overloaded", facts={"dropped": self._dropped}))

    async def drained(self) -> None:
        """Returns when nothing waits any more."""
        await self._idle.wait()

    async def run(self) -> None:
        """Commit what arrives until cancelled. Raises WrongDatabaseError, sqlite3.Error when the store cannot open."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="store") as thread:
            store = await loop.run_in_executor(thread, self._open_store)
            try:
                while True:
                    await self._some.wait()
                    self._deliver(await self._commit(thread, store, self._take()))
                    if not self._waiting:
                        self._idle.set()
            finally:
                thread.submit(store.close)

    def _take(self) -> list[Arrival]:
        group: list[Arrival] = []
        size = 0
        while self._waiting and len(group) < GROUP_MESSAGES and size < GROUP_BYTES:
            arrival = self._waiting.popleft()
            size += len(arrival.payload)
            group.append(arrival)
        self._bytes -= size
        if not self._waiting:
            self._some.clear()
        return group

    async def _commit(self, thread: ThreadPoolExecutor, store: Store, group: list[Arrival]) -> Committed:
        loop = asyncio.get_running_loop()
        while True:
            try:
                committed = await loop.run_in_executor(thread, store.commit, group)
            except sqlite3.DatabaseError as error:
                self._report(str(error))
                await asyncio.sleep(RETRY_SECONDS)
            else:
                self._report("")
                return committed

    def _report(self, trouble: str) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            self._say(Notice("storage_failed" if trouble else "storage_recovered", facts={"why": trouble}))
