"""`holdfast-sim display`: the customer's two lines for anybody's code."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

from holdfast_drivers.displays.driver import LineDisplay
from holdfast_drivers.links.serial import serial_opener
from holdfast_drivers.values import Columns


async def test_what_is_shown_is_told(tmp_path: Path) -> None:
    port = tmp_path / "display"
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "holdfast_drivers.sim", "display", "--pty", str(port),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert child.stdin is not None
    assert child.stdout is not None

    async def heard() -> dict[str, object]:
        assert child.stdout is not None
        told: dict[str, object] = json.loads(await asyncio.wait_for(child.stdout.readline(), 20))
        return told

    assert await heard() == {"event": "ready", "path": str(port)}
    async with LineDisplay(serial_opener(str(port))) as display:
        await display.show(Columns("Tea", "1.20"), Columns("Total", "1.20"))
        assert await heard() == {"event": "shown", "upper": "Tea             1.20", "lower": "Total           1.20"}
        child.stdin.write(b"state\ndance\nstuck perhaps\n")
        assert (await heard())["unknown"] == 0
        assert [(await heard())["event"] for _ in range(3)] == ["done", "refused", "refused"]
    assert (await heard())["upper"] == " " * 20, "cleared when the hub lets go"
    child.stdin.write(b"quit\n")
    assert await asyncio.wait_for(child.wait(), 20) == 0
