"""Prometheus text on loopback. Every metric's name is spelled here and nowhere else."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from holdfast.api.ports import Execute, Hub
from holdfast.api.technical import outbox
from holdfast.domain.core import Command, Outcome
from holdfast_contract.reasons import REASONS
from holdfast_drivers.values import DeviceState, Tri

LOOPBACK = "127.0.0.1"
JOB_STATES = ("queued", "sending", "printed", "not_printed", "unknown")
COMMIT_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 30.0)
"""Seconds: from a fast disk to a storage card that stalls."""
UNKNOWN = float("nan")
"""What nobody knows is no number."""
TRI = {Tri.YES: 1.0, Tri.NO: 0.0, Tri.UNKNOWN: UNKNOWN}
BOARD_FIGURES = {
    "temperature_c": ("holdfast_board_temperature_celsius", "Temperature of the processor."),
    "undervoltages": ("holdfast_board_undervoltages", "Times the 5 V supply was seen to sag since the hub's start."),
    "written_bytes": ("holdfast_storage_written_bytes", "Written to the medium since it was first seen, at least."),
    "life_used": ("holdfast_storage_life_used_ratio", "Life of the medium used up at most, as it says itself."),
    "memory_available_bytes": ("holdfast_board_memory_available_bytes", "Memory that programs may still have."),
}
"""Figure of the board: its metric and what that is."""


class Metrics:
    """Counts what it is told, and asks the hub for the rest when it is read."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._info = self._gauge("holdfast_info", "Always 1.", "hub", "version")
        self._head = self._gauge("holdfast_journal_head_seq", "Last committed record.")
        self._waiting = self._gauge("holdfast_journal_waiting_commands", "Commands in the writer's queue.")
        self._free = self._gauge("holdfast_storage_free_bytes", "Room left for the journal.")
        self._outbox = self._gauge("holdfast_outbox_records", "Records headquarters has not committed yet.")
        self._age = self._gauge("holdfast_outbox_age_seconds", "Age of the oldest of them.")
        self._device = self._gauge("holdfast_device_state", "1 for the state a device is in.", "device", "state")
        self._statistic = self._gauge(
            "holdfast_device_statistic", "UnifiedPOS statistics of a device's life.", "device", "statistic"
        )
        self._jobs = self._gauge("holdfast_print_jobs", "Paper jobs on the spool.", "state")
        self._charge = self._gauge("holdfast_power_charge_ratio", "Battery charge, 0 to 1.")
        self._stage = self._gauge("holdfast_power_stage", "Power stage, 0 (normal) to 4 (shutdown).")
        self._mains = self._gauge("holdfast_power_mains", "1 on mains, 0 on battery.")
        self._finding = self._gauge("holdfast_board_well", "1 when this about the machine is well, else 0.", "topic")
        self._figures = {name: self._gauge(metric, told) for name, (metric, told) in BOARD_FIGURES.items()}
        self._sent = self._gauge("holdfast_uplink_sent_bytes", "Bytes sent to headquarters since the start.")
        self._commits = Histogram(
            "holdfast_command_seconds", "From a command to its durable outcome.",
            buckets=COMMIT_BUCKETS, registry=self.registry,
        )  # fmt: skip
        self._refusals = self._counter("holdfast_refusals", "Refused commands.", "reason")
        self._scans = self._counter("holdfast_scans", "Scans by what became of them.", "outcome")

    def timed(self, execute: Execute) -> Execute:
        """`execute`, with each command's time and refusal counted."""

        async def measured(command: Command, *, actor: str, command_id: bytes | None = None) -> Outcome:
            began = time.perf_counter()
            outcome = await execute(command, actor=actor, command_id=command_id)
            self.decided(time.perf_counter() - began, outcome)
            return outcome

        return measured

    def decided(self, seconds: float, outcome: Outcome) -> None:
        """A command was decided."""
        self._commits.observe(seconds)
        if not outcome.ok:
            self._refusals.labels(outcome.reason if outcome.reason in REASONS else "other").inc()

    def scanned(self, outcome: str) -> None:
        """A scan ended as `committed`, `need_input`, `refused` or one of a few such keys."""
        self._scans.labels(outcome).inc()

    async def refresh(self, hub: Hub) -> None:
        """Ask the hub for everything that is a state, not a count."""
        self._info.labels(hub.config.hub.id, hub.version).set(1)
        self._head.set(hub.journal.head.seq)
        self._waiting.set(hub.journal.waiting)
        self._free.set(hub.journal.space.free)
        await self._refresh_outbox(hub)
        self._refresh_devices(hub)
        self._refresh_power(hub)
        self._refresh_board(hub)
        jobs = dict(await hub.journal.query("SELECT state, count(*) FROM spool GROUP BY state"))
        for state in JOB_STATES:
            self._jobs.labels(state).set(jobs.get(state, 0))

    async def _refresh_outbox(self, hub: Hub) -> None:
        report = await outbox(hub)
        self._outbox.set(report["waiting"])
        self._age.set(report["oldest_age_s"] or 0)
        self._sent.set(report["sent_bytes"])

    def _refresh_devices(self, hub: Hub) -> None:
        self._device.clear()
        self._statistic.clear()
        for report in hub.devices():
            for name, count in report.statistics.items():
                self._statistic.labels(report.name, name).set(count)
            for state in DeviceState:
                self._device.labels(report.name, state.value).set(report.state is state)

    def _refresh_power(self, hub: Hub) -> None:
        report = hub.power()
        charge = report.charge_permille if report else None
        self._charge.set(UNKNOWN if charge is None else charge / 1000)
        self._stage.set(report.stage if report else UNKNOWN)
        mains = report.mains if report else Tri.UNKNOWN
        self._mains.set(UNKNOWN if mains is Tri.UNKNOWN else mains is Tri.YES)

    def _refresh_board(self, hub: Hub) -> None:
        report = hub.board()
        for finding in report.findings:
            self._finding.labels(finding.topic).set(TRI[finding.well])
        for name, gauge in self._figures.items():
            gauge.set(report.figures.get(name, UNKNOWN))

    def _gauge(self, name: str, help_: str, *labels: str) -> Gauge:
        return Gauge(name, help_, labels, registry=self.registry)

    def _counter(self, name: str, help_: str, *labels: str) -> Counter:
        return Counter(name, help_, labels, registry=self.registry)


class MetricsServer:
    """`async with MetricsServer(metrics, hub, port)`: GET /metrics on loopback. Port 0 takes any. Raises OSError."""

    def __init__(self, metrics: Metrics, hub: Hub, port: int) -> None:
        self._metrics = metrics
        self._hub = hub
        self.port = port

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_get("/metrics", self._scrape)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, LOOPBACK, self.port)
        try:
            await site.start()
        except BaseException:
            await self._runner.cleanup()
            raise
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    async def _scrape(self, _: web.Request) -> web.Response:
        await self._metrics.refresh(self._hub)
        return web.Response(body=generate_latest(self._metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
