"""The real daemon with a scale and a customer display on real PTYs: cheese by weight, from scan to receipt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from holdfast_drivers.displays.screen import Screen
from holdfast_drivers.displays.simulator import DisplaySimulator
from holdfast_drivers.links.pty import Pty
from holdfast_drivers.scales.simulator import ToledoSimulator
from system.shop import CANDLE, Shop, open_shop

pytestmark = pytest.mark.timeout(120)

MORE = """
[[scales]]
name = "scale"
station = "t1"
patience = 0.5
serial = {{ port = "{d}/scale" }}
[[displays]]
name = "pole"
station = "t1"
serial = {{ port = "{d}/pole" }}
idle = ["Bench & Co", "Welcome"]
"""
GOODS = """sku,gtin,name,price,tax_category,tax_rate,unit
CANDLE,4006381333931,Candle,19.99,S,20,
CHEESE,4012345678901,Cheese,12.90,S,20,kg
"""
CHEESE = "4012345678901"


async def shows(shop: Shop, screen: Screen, upper: str, lower: str) -> None:
    wanted = upper.ljust(20), lower.ljust(20)
    await shop.until(lambda: screen.lines == wanted, f"{wanted} on the display; it shows {screen.lines}")


def device(shop: Shop, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in shop.ask("GET", "/v1/devices")["devices"] if each["name"] == name)
    return found


async def test_cheese_is_weighed_shown_sold_and_printed(tmp_path: Path) -> None:
    async with (
        Pty(tmp_path / "scale") as scale_port,
        Pty(tmp_path / "pole") as pole_port,
        ToledoSimulator(scale_port.link) as scale,
        DisplaySimulator(pole_port.link) as pole,
        open_shop(tmp_path, more=MORE) as shop,
    ):
        assert (await shop.asked("POST", "/v1/catalogue", GOODS))["ok"]
        await shows(shop, pole.screen, "Bench & Co", "Welcome")

        assert await shop.scan(CHEESE) == "red", "nothing lies on it"
        scale.platform.load, scale.platform.moving = 252, True
        assert await shop.scan(CHEESE) == "red", "it still moves"
        assert (await shop.asked("GET", "/v1/carts"))["carts"] == [], "nothing half done"
        scale.platform.moving = False
        assert await shop.scan(CHEESE) == "green"
        await shows(shop, pole.screen, "0.252 kg Cheese 3.25", "Total EUR       3.25")

        scale.platform.load = scale.platform.capacity + 100
        assert await shop.scan(CHEESE) == "red", "too much"
        assert await shop.scan(CANDLE) == "green", "the next scan goes on"
        await shows(shop, pole.screen, "Candle         19.99", "Total EUR      23.24")

        scale.platform.load = 80
        assert await shop.cards("TARE") == ["green"]
        scale.platform.load = 580
        assert await shop.scan(CHEESE) == "green"
        await shows(shop, pole.screen, "0.500 kg Cheese 6.45", "Total EUR      29.69")

        assert await shop.cards("D3", "D0", "D0", "D0", "CASH") == ["amber"] * 4 + ["green"]
        await shows(shop, pole.screen, "Due            29.69", "Change          0.31")
        await shop.until(lambda: bool(shop.paper), "a receipt")
        assert "0.252 kg x 12.90/kg" in shop.paper[0]
        assert "0.500 kg x 12.90/kg" in shop.paper[0]
        cheese = (await shop.asked("GET", "/v1/stock?sku=CHEESE"))["items"][0]
        assert (cheese["base"], cheese["on_hand"]) == (1000, -752)
        assert device(shop, "scale")["statistics"]["GoodWeightReadCount"] == 2
        assert (device(shop, "scale")["category"], device(shop, "pole")["category"]) == ("Scale", "LineDisplay")

        await scale_port.unplug()
        assert await shop.scan(CHEESE) == "red", "a scale that is gone"
        await shop.until(lambda: device(shop, "scale")["state"] == "off", "the scale to be missed")
        assert await shop.scan(CANDLE) == "green"
        await pole_port.unplug()
        assert await shop.cards("CASH") == ["green"], "a display that is gone costs nobody a sale"
        assert await shop.stop() == 0
