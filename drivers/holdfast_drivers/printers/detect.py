"""Which language the printer on an open line speaks. Only questions that no printer prints are asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from holdfast_drivers.links.base import Link, WriteError
from holdfast_drivers.printers import encode, star_encode, star_status, status
from holdfast_drivers.printers.driver import ReceiptPrinter
from holdfast_drivers.printers.escpos import EscPosPrinter
from holdfast_drivers.printers.profiles import Profile
from holdfast_drivers.printers.star import StarPrinter
from holdfast_drivers.values import Document

ANSWER_TIMEOUT = 0.75
"""Seconds for each of two questions."""

_ASK_ESCPOS = b"\x10\x04\x01"
"""DLE EOT 1."""
_READ_LIMIT = 256


@dataclass(frozen=True, slots=True)
class Kind:
    """All there is for one language."""

    driver: type[ReceiptPrinter]
    encode: Callable[[Document, Profile], bytes]


KINDS: Mapping[str, Kind] = {
    "escpos": Kind(EscPosPrinter, encode.encode),
    "star": Kind(StarPrinter, star_encode.encode),
}


async def detect(link: Link, *, timeout: float = ANSWER_TIMEOUT) -> str | None:
    """`star`, `escpos`, or None when nothing that makes sense comes back. Raises DeviceError: link lost.

    Star is asked first: a Star may answer the end of the other question, EOT, by something that looks like ESC/POS.
    """
    star, escpos = star_status.StarDecoder(), status.StatusDecoder()
    for question, wanted in ((star_status.ASK, "star"), (_ASK_ESCPOS, "escpos")):
        try:
            async with asyncio.timeout(timeout):
                await link.write(question, timeout=timeout)
                while True:
                    data = await link.read(_READ_LIMIT)
                    if any(isinstance(reply, star_status.AutoStatus) for reply in star.feed(data)):
                        return "star"
                    heard = any(isinstance(reply, status.RealTime | status.AutoStatus) for reply in escpos.feed(data))
                    if heard and wanted == "escpos":
                        return "escpos"
        except TimeoutError:
            continue
        except WriteError as error:
            if error.kind != "timeout":
                raise
    return None
