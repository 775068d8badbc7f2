"""A technician's look for battery boards on a bus. Reads alone; the hub may meanwhile go on reading its own."""

from __future__ import annotations

import re
from typing import Any

from holdfast.config import Power
from holdfast_drivers.links.i2c import i2c_bus
from holdfast_drivers.ups.detect import KERNEL, Candidate, detect
from holdfast_drivers.ups.ina import WAVESHARE

HEADER = "/dev/i2c-1"
SETTINGS = {
    "max1704x": 'mains_pin = 6, mains_lost_level = "high" (X120x: "low")',
    "lc709203f": "mains_pin, if the board has a line for the mains",
    "ina219": "cells, shunt_mohm",
    "ina226": "cells, shunt_mohm",
    "ina3221": "cells, shunt_mohm, channel",
    "sbs": "cells",
}
"""What else the configuration must say, by board."""

_KERNELS = re.compile(r"/dev/i2c-\d{1,3}")


async def boards_on(bus: str | None, configured: Power | None) -> dict[str, Any]:
    """`{bus, boards}`; without a `bus` the configured one or the header's. Raises ValueError for what is none,
    DeviceError(`absent`|`refused`|`bus_stuck`|`unplugged`).
    """
    own = None if configured is None or configured.nut_ups is not None else configured.bus
    path = bus or own or HEADER
    if path != own and not _KERNELS.fullmatch(path):
        raise ValueError(f"{path} is no I²C bus: /dev/i2c-N is")
    opened = await i2c_bus(path)
    try:
        found = await detect(opened)
    finally:
        await opened.close()
    return {"bus": path, "boards": [_told(candidate, path, configured) for candidate in found]}


def _told(found: Candidate, path: str, configured: Power | None) -> dict[str, Any]:
    mine = configured is not None and configured.bus == path and found.board in _chips(configured)
    return {
        "board": found.board,
        "address": found.address,
        "sure": found.sure,
        "evidence": found.evidence,
        "wired": list(found.wired),
        "configured": mine,
        "needs": "" if found.board == KERNEL else SETTINGS.get(found.board, ""),
    }


def _chips(configured: Power) -> tuple[str, ...]:
    """The configured board, and the chip that it carries where that has a name of its own."""
    return (configured.board, "ina219") if configured.board in WAVESHARE else (configured.board,)
