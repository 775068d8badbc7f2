"""Memory of the daemon while it drains a long backlog; beside paho's own offline queue holding the same events."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from backlog import backlog
from brokers import Broker, Mosquitto, Nats, mosquitto_binary
from drain import await_ack, head_of, some_records, watch_commits
from measure import Beside, Row, Run, count, environment, forget_peak, resident
from services import Collector, Daemon, uplink

LIMIT_MIB = 10.0
SETTLE_S = 5.0
QUEUE = """
import sys
from pathlib import Path
import paho.mqtt.client as paho
def resident():
    return int(Path("/proc/self/status").read_text().partition("VmRSS:")[2].split()[0]) / 1024
count, size = int(sys.argv[1]), int(sys.argv[2])
client = paho.Client(paho.CallbackAPIVersion.VERSION2)
client.connect_async("127.0.0.1", 1)
before = resident()
for number in range(count):
    client.publish("hf/v1/bench-hub/up/ev", number.to_bytes(4, "big").ljust(size), 1)
print(resident() - before)
"""
"""paho keeps in memory what cannot be sent; aiomqtt passes it on."""


async def run(bench: Run) -> list[Row]:
    events = bench.pick(1_000_000, 100_000)
    state = await backlog(bench, events)
    size = len(some_records(state / "journal.db", 1)[0])
    idle, peak, rate = await asyncio.to_thread(_drain, bench, state)
    queue = await asyncio.to_thread(_queued, events, size)
    return [
        Row(
            what=f"memory above idle while {count(events)} events drain",
            value=peak - idle,
            unit="MiB",
            beside=(Beside("paho's offline queue holding as many", queue),),
            goal=f"<= {LIMIT_MIB:g} MiB",
            met=peak - idle <= LIMIT_MIB,
            note=f"idle {idle:.1f} MiB, peak {peak:.1f} MiB, {count(rate)} events/s",
        )
    ]


def _drain(bench: Run, state: Path) -> tuple[float, float, float]:
    """MiB idle, MiB at the peak, events a second. The broker comes up when the daemon has settled without one."""
    place = Path(tempfile.mkdtemp(dir=bench.disk))
    broker: Broker = Mosquitto(place) if mosquitto_binary() else Nats(place)
    with Daemon(state, bench.sockets / "memory.sock", uplink(broker.port)) as daemon:
        time.sleep(SETTLE_S)
        idle = resident(daemon.pid)
        forget_peak(daemon.pid)
        with broker, Collector(place, broker.port) as collector:
            rate = watch_commits(collector, head_of(daemon))
            await_ack(daemon)
            return idle, resident(daemon.pid, "VmHWM"), rate


def _queued(events: int, size: int) -> float:
    """MiB paho holds."""
    command = [sys.executable, "-c", QUEUE, str(events), str(size)]
    return float(subprocess.run(command, capture_output=True, check=True, env=environment()).stdout)
