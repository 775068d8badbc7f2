"""Network UPS Tools' own server, driver and monitor on loopback, with a folder for all they keep."""

from __future__ import annotations

import asyncio
import getpass
import os
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

PLACES = f"/lib/nut:/usr/lib/nut:{os.environ['PATH']}"
"""Where the programs themselves are: on Debian's path stand scripts that start them only if /etc/nut says so."""
UPSD, DUMMY, UPSMON = (shutil.which(name, path=PLACES) for name in ("upsd", "dummy-ups", "upsmon"))

USERS = """
[till]
password = word
upsmon secondary
[boss]
password = b
upsmon primary
actions = SET
actions = FSD
instcmds = ALL
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Peer:
    """upsd and dummy-ups: a UPS `big` whose variables are a file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._said = 1_000_000_000
        """Second of the file's time stamp: the driver looks at whole ones."""
        self._write("ups.conf", "pollinterval = 1\nmaxretry = 1\n[big]\ndriver = dummy-ups\nport = big.dev\n"
                    'desc = "A \\"big\\" one"\nmode = dummy-once\n')  # fmt: skip
        self._write("upsd.conf", f"LISTEN 127.0.0.1 {self.port}\nMAXAGE 15\n")
        self._write("upsd.users", USERS)

    def say(self, **variables: str) -> None:
        """What the UPS says from the driver's next look on; `ups_status` is `ups.status`."""
        self._write("big.dev", "".join(f"{name.replace('_', '.')}: {value}\n" for name, value in variables.items()))
        self._said += 1
        os.utime(self.folder / "big.dev", (self._said, self._said))

    async def start(self, which: str) -> None:
        """`driver` or `server`."""
        assert UPSD is not None
        assert DUMMY is not None
        command = {"driver": [DUMMY, "-a", "big"], "server": [UPSD]}[which]
        self._running[which] = await started(self.folder, *command, "-F", "-u", getpass.getuser())

    async def stop(self, which: str) -> None:
        process = self._running.pop(which)
        if process.returncode is None:
            process.terminate()
        await process.wait()

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o640)


async def started(folder: Path, *command: str) -> asyncio.subprocess.Process:
    """A program of NUT's that keeps its files in `folder`."""
    environ = os.environ | dict.fromkeys(("NUT_CONFPATH", "NUT_ALTPIDPATH", "NUT_STATEPATH"), str(folder))
    return await asyncio.create_subprocess_exec(*command, env=environ, stdin=-3, stdout=-3, stderr=-3)


@asynccontextmanager
async def peer(folder: Path) -> AsyncIterator[Peer]:
    """Both running; ended at the end."""
    made = Peer(folder)
    made.say(ups_status="OL CHRG", battery_charge="87")
    try:
        await made.start("driver")
        await made.start("server")
        yield made
    finally:
        for which in list(made._running):
            await made.stop(which)


class Monitor:
    """upsmon as a secondary of UPS `hub` at a port; what it noticed, and whether it shut its machine down."""

    def __init__(self, folder: Path, port: int, *, password: str) -> None:
        self.folder = folder
        self.down, self._events = folder / "down", folder / "events"
        notify = folder / "notify"
        notify.write_text(f'#!/bin/sh\necho "$NOTIFYTYPE" >> {self._events}\n')
        notify.chmod(0o755)
        self._events.touch()
        configuration = folder / "upsmon.conf"
        configuration.write_text(
            f'MONITOR hub@127.0.0.1:{port} 1 till "{password}" secondary\n'
            f'MINSUPPLIES 1\nSHUTDOWNCMD "touch {self.down}"\nNOTIFYCMD {notify}\nRUN_AS_USER {getpass.getuser()}\n'
            "POLLFREQ 1\nPOLLFREQALERT 1\nFINALDELAY 0\nHOSTSYNC 2\nDEADTIME 15\n"
            "NOTIFYFLAG ONBATT EXEC\nNOTIFYFLAG LOWBATT EXEC\n"
        )
        configuration.chmod(0o640)

    def noticed(self, event: str) -> bool:
        return event in self._events.read_text().split()


@asynccontextmanager
async def monitoring(folder: Path, port: int, *, password: str) -> AsyncIterator[Monitor]:
    assert UPSMON is not None
    monitor = Monitor(folder, port, password=password)
    process = await started(folder, UPSMON, "-F", "-p")
    try:
        yield monitor
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
