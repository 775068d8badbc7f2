"""The files of a Raspberry Pi 4 that is well, as its kernel and systemd show them; a test changes what it likes."""

from __future__ import annotations

import os
from pathlib import Path

CARD = "sys/devices/platform/emmc2bus/fe340000.mmc/mmc_host/mmc0/mmc0:aaaa"
ALARM = "sys/class/hwmon/hwmon3/in0_lcrit_alarm"
THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"
TEMPERATURE = "sys/class/thermal/thermal_zone1/temp"
SYNCHRONIZED = "run/systemd/timesync/synchronized"
WATCHDOG = "sys/class/watchdog/watchdog0"
WATCHDOG_CONFIG = "usr/lib/systemd/system.conf.d/40-rpi-enable-watchdog.conf"
STAT = f"{CARD}/block/mmcblk0/stat"
ERRORS = "sys/fs/ext4/mmcblk0p2/errors_count"
MOUNTS = "proc/self/mountinfo"
BOOT = "proc/sys/kernel/random/boot_id"
GIB = 1 << 30


class BoardTree:
    """`folder` is on the card's second partition."""

    def __init__(self, root: Path, folder: Path) -> None:
        number = folder.stat().st_dev
        self.root = root
        self.device = (os.major(number), os.minor(number))
        self._well()

    def _well(self) -> None:
        for path, text in {
            "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4\0",
            BOOT: "6d1f9a2e-0000-4000-8000-000000000001",
            "sys/class/hwmon/hwmon2/name": "cpu_thermal",
            "sys/class/hwmon/hwmon3/name": "rpi_volt",
            ALARM: "0",
            THROTTLED: "0",
            "sys/class/thermal/thermal_zone0/type": "gpu-thermal",
            "sys/class/thermal/thermal_zone0/temp": "99000",
            "sys/class/thermal/thermal_zone1/type": "cpu-thermal",
            TEMPERATURE: "51121",
            SYNCHRONIZED: "",
            f"{CARD}/type": "SD",
            f"{CARD}/cid": "035344534c333247807b1d4f9e015a00",
            f"{CARD}/block/mmcblk0/mmcblk0p2/partition": "2",
            ERRORS: "0",
            f"{WATCHDOG}/identity": "Broadcom BCM2835 Watchdog timer",
            f"{WATCHDOG}/state": "active",
            f"{WATCHDOG}/timeout": "60",
            f"{WATCHDOG}/bootstatus": "0",
            WATCHDOG_CONFIG: "[Manager]\nRuntimeWatchdogSec=1m\n",
            "proc/meminfo": "MemTotal:        3885396 kB\nMemFree:  100 kB\nMemAvailable:    3211180 kB\n",
            "proc/vmstat": "nr_free_pages 25\noom_kill 0\n",
        }.items():
            self.write(path, text)
        self.written(2 * GIB)
        self.mounted("rw")
        self.link(f"{CARD}/block/mmcblk0/device", CARD)
        self.link("sys/dev/block/{}:{}".format(*self.device), f"{CARD}/block/mmcblk0/mmcblk0p2")

    def write(self, path: str, text: str | bytes) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else f"{text}\n".encode())

    def remove(self, path: str) -> None:
        (self.root / path).unlink()

    def link(self, path: str, target: str) -> None:
        link = self.root / path
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(os.path.relpath(self.root / target, link.parent))

    def written(self, count: int) -> None:
        """Bytes to the card since boot."""
        self.write(STAT, f"  9541 3480 824466 26250 6120 9125 {count // 512} 91001 0 33000 117251 0 0 0 0")

    def mounted(self, options: str) -> None:
        """Options of the card's file system."""
        number = "{}:{}".format(*self.device)
        self.write(
            MOUNTS,
            "21 26 0:20 / /proc rw,nosuid - proc proc ro\n"
            f"26 1 {number} / / ro,relatime shared:1 - ext4 /dev/mmcblk0p2 {options}",
        )

    def emmc(self, life: str, reserve: str) -> None:
        """The card is a Compute Module's eMMC."""
        self.write(f"{CARD}/type", "MMC")
        self.write(f"{CARD}/life_time", life)
        self.write(f"{CARD}/pre_eol_info", reserve)
