"""What goes wrong on the day, and when. The hub is told nothing of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from cashier import Cashier
from shop import FULL_SPEED, Shop

LATE = timedelta(minutes=6)
"""Paper is marked late after 5 minutes of shop time; it is kept out for longer."""
POWER_S = 120.0
"""Seconds from mains off until the hub must have stopped."""
ROUGHLY_A_COMMIT = 0.004
"""Seconds in which a command in flight is somewhere between the scanner and the light."""


@dataclass(frozen=True, slots=True)
class Plan:
    """When things happen, as shares of the day's baskets, and how the battery goes down."""

    paper_out: float = 0.08
    paper_back: float = 0.20
    network_down: float = 0.28
    kill_in_flight: float = 0.32
    kill_while_printing: float = 0.36
    mains_off: float = 0.40
    network_back: float = 0.58
    charge: int = 34
    """Percent in the morning."""
    drain: tuple[tuple[str, ...], ...] = (("speed 80",), ("speed 1",), ("load 25",), ("load 60",))
    """Commands to the battery board: as the mains go, and again each time the hub has entered a worse stage."""


FAST = Plan(drain=(("load 60",),))
"""Straight to the end: waiting out every stage takes longer than all the rest."""


class Episodes:
    """Call `due` before each basket, `last` before the last one, `missing` at the end."""

    def __init__(self, plan: Plan, shop: Shop, cashier: Cashier, rng: Random) -> None:
        self._shop, self._cashier, self._rng = shop, cashier, rng
        self._drain = plan.drain
        self._power: asyncio.Task[None] | None = None
        self._outbox = 0
        self._kills = 0
        episodes: list[tuple[float, Callable[[], Awaitable[None]]]] = [
            (plan.paper_out, self._paper_out),
            (plan.paper_back, self._paper_back),
            (plan.network_down, self._network_down),
            (plan.kill_in_flight, self._kill_in_flight),
            (plan.kill_while_printing, self._kill_while_printing),
            (plan.mains_off, self._mains_off),
            (plan.network_back, self._network_back),
        ]
        self._ahead = sorted(episodes, key=lambda episode: episode[0])

    async def due(self, share: float) -> None:
        """What happens now that this share of the baskets is served."""
        while self._ahead and self._ahead[0][0] <= share:
            await self._ahead.pop(0)[1]()

    async def last(self) -> None:
        """Let happen what is still to come. A battery that has not run down yet does so in the midst of the sale."""
        await self.due(1.0)
        if not self._shop.stopped.is_set():
            self._cashier.ambush["line"] = self._purse

    async def _purse(self) -> None:
        self._shop.board.tick("the last customer looks for her purse; the battery does not wait")
        async with asyncio.timeout(POWER_S):
            await self._shop.stopped.wait()

    def missing(self, late: int, doubtful: int) -> tuple[str, ...]:
        """Episodes that left no trace, by what is on paper: `late` receipts and `doubtful` ones."""
        took_place = {
            "a receipt printed late": late > 0,
            "a backlog without the network": self._outbox > 0,
            "two kills": self._kills == 2,
            "a paper in doubt": doubtful > 0,
            "an ordered stop": self._shop.stopped.is_set(),
            "a power stage": bool(self._shop.stages),
        }
        return tuple(name for name, happened in took_place.items() if not happened)

    async def _paper_out(self) -> None:
        self._shop.printer.do("paper_out")
        self._out_since = self._shop.clock.now()
        self._shop.board.tick("the printer is out of paper; the shop sells on", "bold yellow")

    async def _paper_back(self) -> None:
        await asyncio.sleep(max(0.0, self._shop.clock.until(self._out_since + LATE)))
        waiting = (await self._shop.hub.get("/v1/spool"))["counts"].get("queued", 0)
        self._shop.printer.do("load_paper")
        self._shop.board.tick(f"a new roll: {waiting} papers print by themselves, marked LATE", "bold green")

    async def _network_down(self) -> None:
        await asyncio.to_thread(self._shop.broker.kill)
        self._shop.board.broker = "away"
        self._shop.board.tick("the network is gone: the broker is killed and forgets everything", "bold red")

    async def _network_back(self) -> None:
        self._outbox = (await self._shop.hub.get("/v1/outbox"))["waiting"]
        await asyncio.to_thread(self._shop.broker.start)
        self._shop.board.broker = "up"
        self._shop.board.tick(f"the network is back; {self._outbox} events are waiting", "bold green")

    async def _kill_in_flight(self) -> None:
        self._cashier.ambush["pay"] = self._strike

    async def _strike(self) -> None:
        await asyncio.sleep(self._rng.uniform(0.0, ROUGHLY_A_COMMIT))
        self._shop.hub.kill()
        self._kills += 1
        self._shop.board.tick("kill -9 with a payment in flight", "bold red")

    async def _kill_while_printing(self) -> None:
        self._shop.printer.do("slow 4")
        self._cashier.ambush["line"] = self._pull_the_plug

    async def _pull_the_plug(self) -> None:
        """Of hub and printer, at the first scan after a receipt has begun to print; until then, wait for the next."""
        if not self._shop.sending:
            self._cashier.ambush["line"] = self._pull_the_plug
            return
        self._shop.hub.kill()
        self._kills += 1
        self._shop.printer.do("power_cycle")
        self._shop.printer.do(FULL_SPEED)
        self._shop.board.tick("kill -9 in the middle of a receipt; the printer goes off and on", "bold red")

    async def _mains_off(self) -> None:
        self._shop.bench.do("mains off")
        self._shop.board.tick("the mains are gone: on battery", "bold red")
        self._power = asyncio.create_task(self._run_down(), name="battery")

    async def _run_down(self) -> None:
        shop = self._shop
        worst, entered = 0, iter(self._drain)
        async with asyncio.timeout(POWER_S):
            for commands in entered:
                for command in commands:
                    shop.bench.do(command)
                while shop.board.stage <= worst:
                    shop.staged.clear()
                    await shop.staged.wait()
                worst = shop.board.stage
