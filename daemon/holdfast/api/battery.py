"""What a person does with the battery: test it, say that it was replaced."""

from __future__ import annotations

import logging
from typing import Any

from aiohttp import web

from holdfast.api.peer import actor
from holdfast.api.ports import Battery, Hub
from holdfast.domain.core import Refused

log = logging.getLogger(__name__)


async def test(hub: Hub, request: web.Request) -> dict[str, Any]:
    """POST: begin a test. What to do, how it goes and its verdict are in `/v1/power`, `self_test`."""
    await _battery(hub).begin_test()
    log.info("a test of the battery was begun by %s", actor(request))
    return {"ok": True}


async def forget(hub: Hub, request: web.Request) -> dict[str, Any]:
    """POST: the pack was replaced; what was learnt of the old one is forgotten."""
    known = await _battery(hub).forget()
    log.warning("the battery was replaced, says %s", actor(request))
    return {"ok": True, "data": {"known": known}}


def _battery(hub: Hub) -> Battery:
    if (battery := hub.battery()) is None:
        raise Refused("invalid", detail="no battery is configured")
    return battery
