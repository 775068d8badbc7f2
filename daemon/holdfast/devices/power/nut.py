"""The hub's battery as Network UPS Tools' clients see it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from holdfast.config import Nut, NutUser
from holdfast.devices.power.device import PowerNow
from holdfast.devices.power.gauges import read_password
from holdfast.domain.stages import Limits, Stage
from holdfast_drivers.nut.server import NutServer, Published, User
from holdfast_drivers.ups.filter import STALE
from holdfast_drivers.values import DeviceError, Tri

TESTED = {"passed": "Done and passed", "failed": "Done and error", "running": "In progress"}
"""`ups.test.result` in the words of NUT's usbhid-ups."""


class NutDoor:
    """Serves for as long as `run` does."""

    def __init__(self, options: Nut, *, now: Callable[[], PowerNow], board: str, version: str) -> None:
        self._options = options
        self._version = version
        self._published = Published(options.name, "holdfast", lambda: variables(now(), board=board, version=version))

    async def run(self) -> None:
        """Raises DeviceError when it cannot listen (`busy`) or a password cannot be read (`refused`)."""
        options = self._options
        users = {user.name: await asyncio.to_thread(_user, user) for user in options.users}
        server = NutServer(self._published, version=self._version, host=options.host, port=options.port, users=users)
        try:
            async with server:
                await asyncio.Event().wait()
        except OSError as error:
            raise DeviceError("busy", f"{options.host}:{options.port}: {error}") from error


def variables(now: PowerNow, *, board: str, version: str) -> dict[str, str] | None:
    """NUT's variables, what is unknown left out; None when the battery has been silent for too long."""
    if now.age is None or now.age > STALE:
        return None
    limits = Limits()
    known = {
        "battery.charge.low": f"{limits.critical_charge // 10}",
        "battery.runtime.low": f"{limits.critical_minutes * 60}",
        "battery.type": "LiFePO4" if now.chemistry == "lifepo4" else "Li-ion",
        "device.mfr": "holdfast",
        "device.model": board,
        "device.type": "ups",
        "driver.name": "holdfast",
        "driver.version": version,
        "ups.mfr": "holdfast",
        "ups.model": board,
        "ups.status": status(now),
    }
    if now.charge_permille is not None:
        known["battery.charge"] = f"{now.charge_permille / 10:.0f}"
    if now.pack_mv is not None:
        known["battery.voltage"] = f"{now.pack_mv / 1000:.3f}"
    if now.minutes_left is not None:
        known["battery.runtime"] = f"{now.minutes_left * 60}"
    if now.temperature_dc is not None:
        known["battery.temperature"] = f"{now.temperature_dc / 10:.1f}"
    if now.installed:
        known["battery.date"] = _day(now.installed)
    if now.self_test in TESTED:
        known["ups.test.result"] = TESTED[now.self_test]
        known |= {"ups.test.date": _day(now.tested)} if now.tested else {}
    return known


def _day(wall_ms: int) -> str:
    """NUT's "opaque string" for a date: ISO 8601, in UTC."""
    return datetime.fromtimestamp(wall_ms / 1000, UTC).strftime("%Y-%m-%d")


def status(now: PowerNow) -> str:
    """`ups.status`: LB from the critical stage on, FSD when the hub itself stops; WAIT while the mains are unknown."""
    words = {Tri.YES: ["OL"], Tri.NO: ["OB", "DISCHRG"], Tri.UNKNOWN: ["WAIT"]}[now.mains]
    if now.stage >= Stage.CRITICAL and now.mains is not Tri.YES:
        words.append("LB")
    if now.replace:
        words.append("RB")
    return " ".join(["FSD", *words] if now.stage is Stage.STOP else words)


def _user(user: NutUser) -> User:
    return User(read_password(user.password_file), user.role)
