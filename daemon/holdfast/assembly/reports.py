"""What the doors and the status slip are told, gathered from the parts that know it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from holdfast.api.ports import BoardReport, DeviceReport, FindingReport, PowerReport, UplinkReport
from holdfast.assembly.powerhouse import Powerhouse
from holdfast.devices.board import BoardDevice
from holdfast.devices.equipment import equipment
from holdfast.devices.finder import Finder
from holdfast.devices.health import Health, HealthBoard
from holdfast.devices.statistics import Statistics
from holdfast.uplink.uplink import Uplink


class Reports:
    """Each method is one report, as of now."""

    def __init__(
        self,
        *,
        health: HealthBoard,
        statistics: Statistics,
        finder: Finder,
        board: BoardDevice,
        powerhouse: Powerhouse | None,
        uplink: Uplink | None,
        head: Callable[[], int],
        monotonic: Callable[[], float],
    ) -> None:
        """`head`: the record's last `seq`."""
        self._health, self._statistics, self._finder = health, statistics, finder
        self._board, self._powerhouse, self._uplink = board, powerhouse, uplink
        self._head, self._monotonic = head, monotonic

    def devices(self) -> list[DeviceReport]:
        """Those in the configuration."""
        return [self._configured(device) for device in self._health.all()]

    def others(self) -> list[DeviceReport]:
        """What nobody configured: nothing is counted of it."""
        return [
            DeviceReport(device.name, device.kind, device.state, device.where, device.reason, device.facts)
            for device in self._health.others()
        ]

    def _configured(self, device: Health) -> DeviceReport:
        """The machine itself is of no UnifiedPOS category and is not counted."""
        counted = bool(device.category)
        return DeviceReport(
            name=device.name,
            kind=device.kind,
            category=device.category,
            state=device.state,
            where=device.where,
            reason=device.reason,
            facts=device.facts,
            statistics=self._statistics.of(device.name) if counted else {},
            equipment=self._equipment(device) if counted else {},
        )

    def _equipment(self, device: Health) -> dict[str, str]:
        return equipment(device, self._finder.port(device.name), self._statistics.life(device.name))

    def board(self) -> BoardReport:
        board, now = self._board.now, self._monotonic()
        findings = [
            FindingReport(
                kept.finding.topic.value,
                kept.finding.well,
                kept.finding.value,
                kept.finding.key or "",
                now - kept.seen,
                now - kept.since,
            )
            for kept in board.kept
        ]
        return BoardReport(board.model, findings, board.figures)

    def power(self) -> PowerReport | None:
        return self._powerhouse.report() if self._powerhouse else None

    def uplink(self) -> UplinkReport:
        if self._uplink is None:
            return UplinkReport("off")
        state = self._uplink.state()
        return UplinkReport(
            state.link.value,
            acked=state.acked,
            sent_bytes=sum(state.bytes_out.values()),
            sent_events=state.sends,
            error=state.alarm or state.last_error,
        )

    def for_slip(self) -> dict[str, Any]:
        """The status slip's facts."""
        link = self.uplink()
        facts: dict[str, Any] = {"link": link.state, "waiting": self._head() - link.acked}
        if self._powerhouse is not None:
            now = self._powerhouse.device.now()
            charge = now.charge_permille
            facts |= {"mains": now.mains.value, "charge": None if charge is None else f"{charge // 10} %"}
        return facts
