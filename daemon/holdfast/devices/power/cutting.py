"""The delayed cut of the configured board: identified first, then told, once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from holdfast.config import Power
from holdfast.devices.power.gauges import GAUGES, read_password, split_ups
from holdfast_drivers.links.header import gpio_header
from holdfast_drivers.links.i2c import I2CBus, i2c_bus
from holdfast_drivers.nut.client import NutClient
from holdfast_drivers.ups import cut, pijuice, pisugar, waveshare_e

ON_BUS: dict[str, tuple[Callable[..., Awaitable[None]], int]] = {
    "waveshare-e": (cut.cut_waveshare_e, waveshare_e.ADDRESS),
    "pisugar3": (cut.cut_pisugar3, pisugar.ADDRESS_3),
    "pijuice": (cut.cut_pijuice, pijuice.ADDRESS),
}


class Cutter:
    """`order` tells the board; `cancel` takes it back where that is possible. Both raise DeviceError."""

    def __init__(self, options: Power, *, clock: Callable[[], float]) -> None:
        self._options = options
        self._clock = clock

    @property
    def cancellable(self) -> bool:
        return self._options.board == "nut"

    async def order(self) -> None:
        """Cut the power in half a minute."""
        options = self._options
        if options.board == "nut":
            await self._ups(cut.cut_nut)
            return
        async with AsyncExitStack() as stack:
            bus = await self._identified(stack)
            if options.cut_pin is not None:
                header = await stack.enter_async_context(gpio_header(options.mains_chip))
                await cut.cut_geekworm(header, options.cut_pin)
            else:
                tell, address = ON_BUS[options.board]
                await tell(bus, address=options.address or address)

    async def cancel(self) -> None:
        """Do not, after all."""
        await self._ups(cut.cancel_nut)

    async def _identified(self, stack: AsyncExitStack) -> I2CBus:
        """The bus, once the configured board has said again that it is there."""
        bus = await i2c_bus(self._options.bus)
        stack.push_async_callback(bus.close)
        await GAUGES[self._options.board](bus, self._options, self._clock)
        return bus

    async def _ups(self, tell: Callable[[NutClient, str], Awaitable[None]]) -> None:
        options = self._options
        assert options.nut_ups is not None, "the configuration was checked"
        assert options.nut_user is not None, "the configuration was checked"
        ups, host, port = split_ups(options.nut_ups)
        async with NutClient(host, port) as client:
            password = await asyncio.to_thread(read_password, options.nut_password_file or "")
            await client.authenticate(options.nut_user, password)
            await tell(client, ups)
