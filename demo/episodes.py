"""What goes wrong on the day, and when. The hub is told nothing of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from cashier import Cashier
from hub import HubAwayError
from shop import FULL_SPEED, Shop

LATE = timedelta(minutes=6)
"""Paper is marked late after 5 minutes of shop time; it is kept out for longer."""
LOOK_S = 0.2
FINISH_S = 30.0
"""Seconds that what did not happen during the sales is given afterwards."""
POWER_S = 120.0
"""Seconds from mains off until the hub must have stopped."""
STOP = 4
"""The last stage; a battery may fall to it from any other."""
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
    charge: int = 20
    """Percent in the morning: the shop has forgotten to charge."""
    drain: tuple[tuple[str, ...], ...] = (("speed 1",), ("speed 25",), (), ("speed 1", "load 30"))
    """Commands to the battery board: as the mains go, and again each time the hub has entered a worse stage. Never ten
    points of charge in a minute, which is a jump and not believed; never a load that opens the pack's protection."""


FAST = Plan(drain=(("load 30",),))
"""Straight to the end: waiting out every stage takes longer than all the rest."""

Episode = Callable[[], Awaitable[bool]]
"""False: not yet, try again before the next basket."""


class Episodes:
    """Call `due` before each basket, `last` before the last one, `finish` after it, `missing` at the end."""

    def __init__(self, plan: Plan, shop: Shop, cashier: Cashier, rng: Random) -> None:
        self._shop, self._cashier, self._rng = shop, cashier, rng
        self._drain = plan.drain
        self._battery: asyncio.Task[None] | None = None
        self._backlog = 0
        self._blue = False
        """While headquarters was out of reach the blue light said so."""
        self._kills = 0
        self._unprinted_since: datetime | None = None
        episodes: list[tuple[float, Episode]] = [
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
        for at, episode in self._ahead[:]:
            with suppress(HubAwayError):
                if at <= share and await episode():
                    self._ahead.remove((at, episode))

    async def last(self) -> None:
        """A battery that has not run down yet does so in the midst of the last sale."""
        if self._battery is not None and not self._shop.stopped.is_set():
            self._cashier.ambush["line"].append(self._purse)

    async def finish(self) -> None:
        """Let happen what has not and still can, then wait until all is well again. Raises TimeoutError."""
        with suppress(TimeoutError):
            async with asyncio.timeout(FINISH_S):
                while self._ahead or self._cashier.ambush["line"]:
                    await self._shop.hub.up.wait()
                    await self.due(1.0)
                    await self._cashier.spring("line")
                    await asyncio.sleep(LOOK_S)
        await self._repair()
        if self._battery is not None:
            await self._battery
        await self._shop.hub.up.wait()

    async def _repair(self) -> None:
        """What an episode that could not end has left."""
        self._shop.printer.do("load_paper")
        self._shop.printer.do(FULL_SPEED)
        if self._shop.broker.pid is None:
            await asyncio.to_thread(self._shop.broker.start)

    def missing(self, late: int, doubtful: int) -> tuple[str, ...]:
        """Episodes that left no trace, by what is on paper: `late` receipts and `doubtful` ones."""
        took_place = {
            "a receipt printed late": late > 0,
            "a backlog without the network": self._backlog > 0,
            "the blue light while headquarters was away": self._blue,
            "the white light while saving power": "white" in self._shop.bench.came_on,
            "two kills": self._kills == 2,
            "a paper in doubt": doubtful > 0,
            "an ordered stop": self._shop.stopped.is_set(),
            "a power stage": bool(self._shop.stages),
        }
        return tuple(name for name, happened in took_place.items() if not happened)

    async def _paper_out(self) -> bool:
        self._shop.printer.do("paper_out")
        self._shop.board.tick("the printer is out of paper; the shop sells on", "bold yellow")
        return True

    async def _paper_back(self) -> bool:
        """Not before something has waited so long that it must be marked."""
        clock = self._shop.clock
        waiting = (await self._shop.hub.get("/v1/spool"))["counts"].get("queued", 0)
        if not waiting:
            return False
        self._unprinted_since = self._unprinted_since or clock.now()
        if clock.until(self._unprinted_since + LATE) > 0:
            return False
        self._shop.printer.do("load_paper")
        self._shop.board.tick(f"a new roll: {waiting} papers print by themselves, marked LATE", "bold green")
        return True

    async def _network_down(self) -> bool:
        await asyncio.to_thread(self._shop.broker.kill)
        self._shop.board.broker = "away"
        self._shop.board.tick("the network is gone: the broker is killed and forgets everything", "bold red")
        return True

    async def _network_back(self) -> bool:
        outbox = await self._shop.hub.get("/v1/outbox")
        self._backlog = outbox["waiting"]
        self._blue = outbox["state"] != "offline" or "blue" in self._shop.bench.on
        await asyncio.to_thread(self._shop.broker.start)
        self._shop.board.broker = "up"
        self._shop.board.tick(f"the network is back; {self._backlog} events are waiting", "bold green")
        return True

    async def _kill_in_flight(self) -> bool:
        self._cashier.ambush["pay"].append(self._strike)
        return True

    async def _strike(self) -> None:
        await asyncio.sleep(self._rng.uniform(0.0, ROUGHLY_A_COMMIT))
        self._kill("kill -9 with a payment in flight")

    def _kill(self, words: str) -> None:
        self._shop.hub.kill()
        self._kills += 1
        self._shop.board.tick(words, "bold red")

    async def _kill_while_printing(self) -> bool:
        if self._kills == 0:
            return False
        self._shop.printer.do("slow 4")
        self._cashier.ambush["line"].append(self._pull_the_plug)
        return True

    async def _pull_the_plug(self) -> None:
        """Of hub and printer, at the first scan after a receipt has begun to print; until then, wait for the next."""
        if not self._shop.sending:
            self._cashier.ambush["line"].append(self._pull_the_plug)
            return
        self._kill("kill -9 in the middle of a receipt; the printer goes off and on")
        self._shop.printer.do("power_cycle")
        self._shop.printer.do(FULL_SPEED)

    async def _mains_off(self) -> bool:
        """Not before the kills: a hub that starts afresh gives the battery time again."""
        if self._kills < 2:
            return False
        self._shop.bench.do("mains off")
        self._shop.board.tick("the mains are gone: on battery", "bold red")
        self._battery = asyncio.create_task(self._run_down(), name="battery")
        return True

    async def _run_down(self) -> None:
        shop, worst = self._shop, 0
        async with asyncio.timeout(POWER_S):
            for commands in self._drain:
                for command in commands:
                    shop.bench.do(command)
                while shop.board.stage <= worst < STOP:
                    shop.staged.clear()
                    await shop.staged.wait()
                worst = max(worst, shop.board.stage)
            await shop.stopped.wait()

    async def _purse(self) -> None:
        if self._shop.stopped.is_set():
            return
        self._shop.board.tick("the last customer looks for her purse; the battery does not wait")
        async with asyncio.timeout(POWER_S):
            await self._shop.stopped.wait()
