"""Memory and idle processor time of the daemon with everything on: scanner, printer, battery, lamps, uplink, API."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from itertools import cycle, islice
from pathlib import Path

from brokers import Broker, Mosquitto, Nats, mosquitto_binary
from counter import Counter
from measure import Beside, Row, Run, cpu_seconds, environment, resident
from selling import articles, open_shop
from services import Collector, Daemon, running, uplink

MEMORY_MIB, IDLE_PERCENT = 80.0, 1.0
LINES = 3
SETTLE_S = 5.0
LIBRARIES = "asyncio, aiohttp.web, aiomqtt, aiosqlite, cryptography, escpos.printer, gpiozero, msgspec, serial, smbus2"
"""What the daemon is built on, prometheus-client and pillow aside: they come with these."""
PROBE = f"""
import {LIBRARIES}
from pathlib import Path
print(int(Path("/proc/self/status").read_text().partition("VmRSS:")[2].split()[0]) / 1024)
"""
BARE_LOOP = "import asyncio\nasync def main():\n while True: await asyncio.sleep(1)\nasyncio.run(main())"


async def run(bench: Run) -> list[Row]:
    carts, watch_s = bench.pick(300, 40), bench.pick(60, 10)
    state, place = bench.disk / "footprint", Path(tempfile.mkdtemp(dir=bench.disk))
    async with open_shop(state) as shop:
        await shop.sign_in()
    broker: Broker = Mosquitto(place) if mosquitto_binary() else Nats(place)
    async with AsyncExitStack() as stack:
        counter = await stack.enter_async_context(Counter(bench.sockets))
        stack.enter_context(broker)
        stack.enter_context(Collector(place, broker.port))
        door = bench.sockets / "foot.sock"
        async with running(Daemon(state, door, counter.config() + uplink(broker.port))) as daemon:
            fresh = resident(daemon.pid)
            await trade(counter, carts)
            used = resident(daemon.pid)
        async with running(Daemon(state, door, counter.config(speed=1) + uplink(broker.port))) as daemon:
            idle = await idle_percent(daemon.pid, watch_s)
    bare = await bare_loop(watch_s)
    libraries = await asyncio.to_thread(import_memory)
    return [
        Row(
            what="resident memory, all features on",
            value=used,
            unit="MiB",
            beside=(Beside("python that only imports the libraries", libraries),),
            goal=f"<= {MEMORY_MIB:g} MiB",
            met=used <= MEMORY_MIB,
            note=f"after {carts} carts with receipts; {fresh:.1f} MiB before the first scan",
        ),
        Row(
            what="idle, scanner, printer and battery attached, online",
            value=idle,
            unit="% of a core",
            beside=(Beside("an asyncio loop that sleeps by the second", bare),),
            goal=f"<= {IDLE_PERCENT:g} %",
            met=idle <= IDLE_PERCENT,
        ),
    ]


async def trade(counter: Counter, carts: int) -> None:
    wares = cycle(articles())
    for _ in range(carts):
        for ware in islice(wares, LINES):
            await counter.product(ware.gtin)
        await counter.card("CASH")


async def idle_percent(pid: int, seconds: float) -> float:
    await asyncio.sleep(SETTLE_S)
    cpu, began = cpu_seconds(pid), time.monotonic()
    await asyncio.sleep(seconds)
    return (cpu_seconds(pid) - cpu) / (time.monotonic() - began) * 100


async def bare_loop(seconds: float) -> float:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", BARE_LOOP)
    try:
        return await idle_percent(process.pid, seconds)
    finally:
        process.kill()
        await process.wait()


def import_memory() -> float:
    return float(
        subprocess.run([sys.executable, "-c", PROBE], capture_output=True, check=True, env=environment()).stdout
    )
