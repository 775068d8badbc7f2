"""A program that reads a bus as told: one JSON object a line in, one out. For tests that need another process."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import asdict
from typing import Any

from holdfast.config import Power
from holdfast.devices.power.gauges import GAUGES
from holdfast_drivers.links import i2c
from holdfast_drivers.links.i2c import I2CBus, i2c_bus
from holdfast_drivers.ups.detect import detect
from holdfast_drivers.values import DeviceError

i2c.PAUSE = 0.5


async def do(bus: I2CBus, what: dict[str, Any]) -> dict[str, Any]:
    match what:
        case {"read": board, **options}:
            gauge = await GAUGES[board](bus, Power(board=board, **options), time.monotonic)
            return asdict(await gauge.read())
        case {"write": value, "address": address, "register": register}:
            await bus.write_word(address, register, value)
        case {"detect": True}:
            return {"found": [(found.address, found.board) for found in await detect(bus)]}
        case {"byte": register, "address": address}:
            return {"byte": await bus.read_byte(address, register)}
    return {}


async def main() -> None:
    bus = await i2c_bus(sys.argv[1])
    while line := await asyncio.to_thread(sys.stdin.readline):
        began = time.monotonic()
        try:
            answer = await do(bus, json.loads(line))
        except DeviceError as error:
            answer = {"error": error.kind, "detail": error.detail}
        answer["seconds"] = time.monotonic() - began
        print(json.dumps(answer, default=str), flush=True)
    await bus.close()


if __name__ == "__main__":
    asyncio.run(main())
