"""holdfastd: reads the command line, opens the journal, serves the parts, stops in order."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack
from datetime import datetime, time
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from holdfast import config as configuration
from holdfast.api.metrics import MetricsServer
from holdfast.api.server import ApiServer
from holdfast.assembly.parts import ACTOR, VERSION, Parts, speed
from holdfast.assembly.stopping import stop_when_asked
from holdfast.config import Config, ConfigError
from holdfast.counter.commands import button_problems
from holdfast.devices.logo import load_logo
from holdfast.domain.core import Policy
from holdfast.domain.hub import NoteLink, NoteStarted
from holdfast.domain.power import NoteResumed
from holdfast.domain.registry import AREAS
from holdfast.journal.journal import Journal, Settings
from holdfast.journal.space import Marks
from holdfast.journal.store import InUseError
from holdfast.journal.writer import StorageFailedError
from holdfast.runtime import log as logs
from holdfast.runtime.backoff import Backoff
from holdfast.runtime.clock import Clock, ShopClock, SystemClock, business_day
from holdfast.runtime.notify import notify
from holdfast.runtime.stop import StopAsked
from holdfast.runtime.supervise import forever, restarted
from holdfast.runtime.watchdog import feed_watchdog
from holdfast.uplink.link import Link
from holdfast.uplink.telemetry import TelemetryStore
from holdfast_contract.record import ClockQuality
from holdfast_drivers.values import DeviceError

log = logging.getLogger("holdfast")

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
FAULT, BAD_CONFIG, IN_USE = 1, 2, 3
"""Exit statuses; systemd starts the daemon again after each."""


async def serve(config: Config) -> int:
    """Run the hub until something asks it to stop. Returns the exit status."""
    real = SystemClock()
    clock = counter_clock(config, real)
    async with AsyncExitStack() as opened:
        journal = await opened.enter_async_context(Journal(settings(config), AREAS, clock))
        telemetry = None
        if config.uplink is not None:
            store = TelemetryStore(Path(config.storage.directory) / "telemetry.db", clock)
            telemetry = await opened.enter_async_context(store)
        logo = await asyncio.to_thread(load_logo, config)
        parts = Parts(config, real=real, clock=clock, journal=journal, telemetry=telemetry, logo=logo)
        await begin(parts)
        api = await opened.enter_async_context(ApiServer(parts.doors, Path(config.api.socket)))
        if config.api.metrics_port:
            await opened.enter_async_context(MetricsServer(parts.metrics, parts.doors, config.api.metrics_port))
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, parts.stop.signal, number.name)
        return await run(parts, api)


async def begin(parts: Parts) -> None:
    """What a start writes down before anything else can happen."""
    if (aside := parts.journal.opened.moved_aside) is not None:
        log.critical("the journal was damaged; what could be proved goes on, the old file is kept: %s", aside)
    trusted = parts.clock.quality() is not ClockQuality.UNSET
    await parts.journal.execute(NoteResumed(clock_trusted=trusted), actor=ACTOR)
    boot = await asyncio.to_thread(BOOT_ID.read_text)
    await parts.journal.execute(
        NoteStarted(version=VERSION, kernel_boot=boot.strip(), speed=speed(parts.config)), actor=ACTOR
    )
    if parts.config.uplink is not None:
        await parts.journal.execute(NoteLink(state=Link.OFFLINE.value), actor=ACTOR)
    await parts.journal.prune()
    await parts.spooler.recover()


async def run(parts: Parts, api: ApiServer) -> int:
    """Serve every task until the ordered stop is done, or one that may not end has ended."""
    status = FAULT
    try:
        async with asyncio.TaskGroup() as group:
            for name, work in tasks(parts):
                group.create_task(work, name=name)
            group.create_task(stop_when_asked(parts, api), name="stop")
            notify("READY=1", f"STATUS=open, head {parts.journal.head.seq}")
            log.info("open: hub %s, journal head %d", parts.config.hub.id, parts.journal.head.seq)
    except* StopAsked as asked:
        status = max(each.status for each in asked.exceptions if isinstance(each, StopAsked))
    except* StorageFailedError:
        log.critical("the journal cannot be written: ending, so that a new start can look at it")
    return status


def tasks(parts: Parts) -> Iterator[tuple[str, Coroutine[Any, Any, None]]]:
    """What runs for as long as the hub does. Devices and the uplink start again by themselves; the rest may not end."""
    for device in parts.devices:
        lost = partial(parts.health.lost, device.name)
        run = parts.claims.around(device.name, parts.finder.guarded(device.name, device.run))
        wake = parts.finder.wake(device.name)
        yield device.name, supervised(device.name, run, real=parts.real, failed=lost, wake=wake)
    yield "finder", supervised("finder", parts.finder.run, real=parts.real)
    yield "statistics", supervised("statistics", parts.statistics.run, real=parts.real)
    for station in parts.stations.values():
        yield f"station {station.name}", supervised(f"station {station.name}", station.run, real=parts.real)
    if parts.fitted.displays:
        yield "customer", supervised("customer", parts.customer.run, real=parts.real)
    yield "spool", supervised("spool", parts.spooler.run, real=parts.real)
    if parts.uplink is not None:
        yield "uplink", supervised("uplink", parts.uplink.run, real=parts.real)
    if parts.power is not None:
        yield "power judgement", forever("power judgement", parts.power.judge)
    if parts.nut is not None:
        yield "nut", supervised("nut", parts.nut.run, real=parts.real)
    yield "watchdog", feed_watchdog(lambda: parts.journal.writer_progress, lambda: parts.journal.waiting)
    yield "journal", watch_journal(parts.journal)


def supervised(
    name: str,
    work: Callable[[], Awaitable[None]],
    *,
    real: Clock,
    failed: Callable[[Exception], None] = lambda _: None,
    wake: asyncio.Event | None = None,
) -> Coroutine[Any, Any, None]:
    backoff = Backoff(cap=10.0)
    return restarted(name, work, clock=real, backoff=backoff, expected=(DeviceError,), failed=failed, wake=wake)


async def watch_journal(journal: Journal) -> None:
    """Raises StorageFailedError when the record can no longer be written."""
    await asyncio.shield(journal.failed)


def counter_clock(config: Config, real: Clock) -> Clock:
    """Real time, or a demo's shop time."""
    demo = config.demo
    if demo is None or not demo.shop_start:
        return real
    start = datetime.fromisoformat(demo.shop_start).replace(tzinfo=ZoneInfo(config.hub.timezone))
    return ShopClock(
        speed=demo.speed,
        shop_start_ms=round(start.timestamp() * 1000),
        real_start_ms=round(demo.real_start * 1000),
        base=real,
    )


def settings(config: Config) -> Settings:
    hub = config.hub
    zone = ZoneInfo(hub.timezone)
    cut = time.fromisoformat(hub.day_cut)

    def offset_ms(at: int) -> int:
        offset = datetime.fromtimestamp(at / 1000, zone).utcoffset()
        return 0 if offset is None else round(offset.total_seconds() * 1000)

    return Settings(
        directory=Path(config.storage.directory),
        policy=Policy(
            hub=hub.id,
            code=hub.code,
            currency=hub.currency,
            exponent=hub.exponent,
            cash_rounding=hub.cash_rounding,
            large_quantity=hub.large_quantity,
        ),
        day_of=lambda at: business_day(at, offset_ms, (cut.hour * 60 + cut.minute) * 60_000),
        marks=Marks(low=config.storage.low_bytes, floor=config.storage.floor_bytes),
    )


def configured(path: Path) -> Config:
    """Raises ConfigError, OSError."""
    config = configuration.load(path)
    if problems := button_problems(config):
        raise ConfigError(problems)
    return config


def main() -> None:
    """Entry point of `holdfastd`."""
    parser = argparse.ArgumentParser(prog="holdfastd", description="The daemon of a micro-hub.")
    parser.add_argument("--config", type=Path, default=Path("/etc/holdfast/holdfast.toml"), metavar="FILE")
    parser.add_argument("--verbose", action="store_true", help="log more")
    parser.add_argument("--version", action="version", version=f"holdfastd {VERSION}")
    arguments = parser.parse_args()
    logs.set_up(verbose=arguments.verbose)
    try:
        config = configured(arguments.config)
        sys.exit(asyncio.run(serve(config)))
    except OSError as error:
        sys.exit(f"holdfastd: {error}")
    except ConfigError as error:
        log.critical("%s cannot be used:\n%s", arguments.config, error)
        sys.exit(BAD_CONFIG)
    except InUseError as error:
        log.critical("%s", error)
        sys.exit(IN_USE)


if __name__ == "__main__":
    main()
