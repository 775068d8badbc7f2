"""Documents by the number that is printed on them."""

from __future__ import annotations

from holdfast.api.ports import Hub
from holdfast.domain import numbers
from holdfast_contract.events import decode_body
from holdfast_contract.record import Record
from holdfast_contract.sale import SaleCompleted
from holdfast_contract.shift import ShiftClosed


def printed(hub: Hub, series: str, count: int) -> str:
    """E.g. `BER-1-R000042`."""
    return numbers.printed(hub.config.hub.code, hub.journal.genesis.inc, series, count)


def number_of(hub: Hub, record: Record) -> str | None:
    """The number of the document an event completed; None when it completed none."""
    match decode_body(record):
        case SaleCompleted(number=count, training=training):
            return printed(hub, numbers.TRAINING if training else numbers.RECEIPTS, count)
        case ShiftClosed(number=count):
            return printed(hub, numbers.CLOSINGS, count)
        case _:
            return None
