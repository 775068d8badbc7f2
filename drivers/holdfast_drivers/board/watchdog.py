"""The hardware watchdog: does anybody feed it, so that a machine that hangs is started again.

`/dev/watchdog` has one owner and is never opened here: opening it starts it. With `RuntimeWatchdogSec=` the owner is
systemd (systemd-system.conf(5)); the kernel tells the rest (linux Documentation/ABI/testing/sysfs-class-watchdog).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from holdfast_drivers.board.files import entries, integer, text
from holdfast_drivers.values import Tri

DEVICE = "sys/class/watchdog/watchdog0"
CARD_RESET = 0x20
"""Of `bootstatus`: the last start was the watchdog's doing. The Raspberry Pi's own never says so."""
FOLDERS = ("usr/lib/systemd", "run/systemd", "etc/systemd")
"""Later ones win, also among drop-ins of one name; drop-ins go by name, whatever their folder."""
OFF = frozenset({"", "0", "0s", "off", "infinity"})


@dataclass(frozen=True, slots=True)
class Watchdog:
    present: bool = False
    identity: str = ""
    active: Tri = Tri.UNKNOWN
    seconds: int | None = None
    """Until it would start the machine again."""
    bitten: Tri = Tri.UNKNOWN
    """The last start was its doing; UNKNOWN where the driver cannot say."""
    configured: str = ""
    """What systemd is told, e.g. `1min`; empty: not to feed it."""

    @property
    def owner(self) -> str:
        """Who feeds it: `systemd`, `another program`, or nobody."""
        if self.active is not Tri.YES:
            return ""
        return "systemd" if self.configured else "another program"


def read_watchdog(root: Path) -> Watchdog:
    device = root / DEVICE
    if not device.exists():
        return Watchdog()
    identity, boot = text(device / "identity") or "", integer(device / "bootstatus")
    silent = boot is None or "BCM2835" in identity
    return Watchdog(
        present=True,
        identity=identity,
        active={"active": Tri.YES, "inactive": Tri.NO}.get(text(device / "state") or "", Tri.UNKNOWN),
        seconds=integer(device / "timeout"),
        bitten=Tri.UNKNOWN if silent or boot is None else Tri.YES if boot & CARD_RESET else Tri.NO,
        configured=read_configured(root),
    )


def read_configured(root: Path) -> str:
    """The last `RuntimeWatchdogSec=` that counts; empty when it is off."""
    files = [root / folder / "system.conf" for folder in FOLDERS]
    drop_ins = {path.name: path for folder in FOLDERS for path in entries(root / folder / "system.conf.d")}
    told = ""
    for path in [*files, *(drop_ins[name] for name in sorted(drop_ins) if name.endswith(".conf"))]:
        for line in (text(path) or "").splitlines():
            key, _, value = line.partition("=")
            told = value.strip() if key.strip() == "RuntimeWatchdogSec" else told
    return "" if told in OFF else told
