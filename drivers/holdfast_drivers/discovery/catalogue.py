"""USB ids seen on counter hardware. A hint, never a proof: the product id changes with the mode a scanner is programmed
to, and clones wear each other's. Sources: vendors' manuals, usb.ids, kernel drivers, reports of owners.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum


class Confidence(IntEnum):
    """How much a hint is worth; larger is more."""

    NONE = 0
    VENDOR = 1
    """Only the maker is known."""
    ONE_SOURCE = 2
    CONFIRMED = 3
    """Two sources that do not copy each other."""
    LEARNT = 4
    """It worked here before."""


class Role(Enum):
    """What a device may be to the hub."""

    SCANNER = "scanner"
    PRINTER = "printer"
    BATTERY = "battery"
    ADAPTER = "adapter"
    """A USB serial chip: whatever is behind it shows nothing of itself."""


@dataclass(frozen=True, slots=True)
class Hint:
    role: Role
    words: str
    confidence: Confidence


def _scanner(words: str, confidence: Confidence = Confidence.ONE_SOURCE) -> Hint:
    return Hint(Role.SCANNER, words, confidence)


def _printer(words: str, confidence: Confidence = Confidence.ONE_SOURCE) -> Hint:
    return Hint(Role.PRINTER, words, confidence)


def _adapter(words: str, confidence: Confidence = Confidence.CONFIRMED) -> Hint:
    return Hint(Role.ADAPTER, words, confidence)


_SURE = Confidence.CONFIRMED

PRODUCTS: dict[tuple[int, int], tuple[Hint, ...]] = {
    (0x0403, 0x6001): (_adapter("FTDI FT232R"),),
    (0x0403, 0x6010): (_adapter("FTDI FT2232", Confidence.ONE_SOURCE),),
    (0x0403, 0x6011): (_adapter("FTDI FT4232", Confidence.ONE_SOURCE),),
    (0x0403, 0x6014): (_adapter("FTDI FT232H", Confidence.ONE_SOURCE),),
    (0x0403, 0x6015): (_adapter("FTDI X series", Confidence.ONE_SOURCE),),
    (0x1A86, 0x7523): (_adapter("WCH CH340"),),
    (0x1A86, 0x55D4): (_adapter("WCH CH9102"),),
    (0x10C4, 0xEA60): (_adapter("Silicon Labs CP210x"),),
    (0x067B, 0x2303): (_adapter("Prolific PL2303"),),
    (0x04B8, 0x0202): (_printer("Epson TM series", _SURE),),
    (0x04B8, 0x0E03): (_printer("Epson TM-T20", _SURE),),
    (0x04B8, 0x0E15): (_printer("Epson TM-T20II", _SURE),),
    (0x04B8, 0x0E28): (_printer("Epson TM-T20III", _SURE),),
    (0x0519, 0x0003): (_printer("Star TSP100", _SURE),),
    (0x0416, 0x5011): (_printer("POS-58 class printer, or a laboratory power supply", _SURE),),
    (0x0FE6, 0x811E): (_printer("80 mm clone"),),
    (0x0483, 0x5743): (_printer("Xprinter class"),),
    (0x1FC9, 0x2016): (_printer("Posiflex"),),
    (0x05E0, 0x1200): (_scanner("Zebra as a keyboard", _SURE),),
    (0x05E0, 0x1300): (_scanner("Zebra as an IBM hand-held or SNAPI device"),),
    (0x05E0, 0x1701): (_scanner("Zebra as a serial port", _SURE),),
    (0x05E0, 0x1900): (_scanner("Zebra, mode unknown"),),
    (0x0C2E, 0x0900): (_scanner("Honeywell as a serial port", _SURE),),
    (0x0C2E, 0x0901): (_scanner("Honeywell as a keyboard", _SURE),),
    (0x0C2E, 0x0200): (_scanner("Honeywell as a keyboard", _SURE),),
    (0x0C2E, 0x0B61): (_scanner("Honeywell 1250g as a keyboard", _SURE),),
    (0x0C2E, 0x0CAA): (_scanner("Honeywell 1450g as a serial port"),),
    (0x05F9, 0x4204): (_scanner("Datalogic as a serial port"),),
    (0x05F9, 0x2206): (_scanner("Datalogic as a keyboard"),),
    (0x05F9, 0x221A): (_scanner("Datalogic, mode unknown"),),
    (0x1EAB, 0x8306): (_scanner("Newland as a serial port", _SURE),),
    (0x1EAB, 0x0C06): (_scanner("Newland as a serial port"),),
    (0x1EAB, 0x0010): (_scanner("Newland as a keyboard"),),
    (0x1FBB, 0x3850): (_scanner("Cino as a serial port"),),
}

VENDORS: dict[int, Hint] = {
    0x0536: _scanner("Hand Held Products", Confidence.VENDOR),
    0x065A: _scanner("Opticon", Confidence.VENDOR),
    0x23D0: _scanner("Zebra", Confidence.VENDOR),
    0x080C: _scanner("Datalogic", Confidence.VENDOR),
    0x05E0: _scanner("Zebra", Confidence.VENDOR),
    0x0C2E: _scanner("Honeywell", Confidence.VENDOR),
    0x05F9: _scanner("Datalogic", Confidence.VENDOR),
    0x1EAB: _scanner("Newland", Confidence.VENDOR),
    0x04B8: _printer("Epson", Confidence.VENDOR),
    0x0519: _printer("Star", Confidence.VENDOR),
    0x0403: _adapter("FTDI", Confidence.VENDOR),
    0x1A86: _adapter("WCH", Confidence.VENDOR),
    0x10C4: _adapter("Silicon Labs", Confidence.VENDOR),
    0x067B: _adapter("Prolific", Confidence.VENDOR),
}


def hints(vendor: int, product: int) -> tuple[Hint, ...]:
    """What the ids suggest; the vendor's alone when the product is not known."""
    known = PRODUCTS.get((vendor, product))
    if known is not None:
        return known
    return (VENDORS[vendor],) if vendor in VENDORS else ()
