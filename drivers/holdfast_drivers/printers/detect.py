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


async def detect(link: Link, *, first: str = "star", timeout: float = ANSWER_TIMEOUT) -> str | None:
    """`star`, `escpos`, or None when nothing that makes sense comes back. Raises DeviceError: link lost.

    `first` is the language asked for first. On a line nobody knows it is Star's: a Star may answer the end of the other
    question, EOT, by something that looks like ESC/POS.
    """
    star, escpos = star_status.StarDecoder(), status.StatusDecoder()
    questions = {"star": star_status.ASK, "escpos": _ASK_ESCPOS}
    for wanted in sorted(questions, key=lambda language: language != first):
        try:
            async with asyncio.timeout(timeout):
                await link.write(questions[wanted], timeout=timeout)
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
