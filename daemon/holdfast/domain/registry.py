"""The areas, in the order in which they project an event and in which they may import each other."""

from __future__ import annotations

from holdfast.domain import (
    cart,
    catalogue,
    closing,
    consumption,
    delivery,
    grid,
    hub,
    inventory,
    money,
    operator,
    paper,
    plan,
    power,
    sale,
    shift,
)

AREAS = (
    hub.AREA,
    operator.AREA,
    catalogue.AREA,
    money.AREA,
    inventory.AREA,
    delivery.AREA,
    shift.AREA,
    cart.AREA,
    sale.AREA,
    closing.AREA,
    paper.AREA,
    power.AREA,
    grid.AREA,
    plan.AREA,
    consumption.AREA,
)
