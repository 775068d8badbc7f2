"""No card number goes in by this door (G-11): found in free text it is masked before anything is stored, and counted.

What is a code of the catalogue is no free text, however much it looks like one: every tenth number passes the check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import msgspec

from holdfast.api.ports import Hub
from holdfast.domain.core import Command
from holdfast.domain.hub import NoteSecurity
from holdfast_contract.catalogue import Product
from holdfast_drivers.barcodes.pan import looks_like_pan, mask_pan

CARD_DATA_MASKED = "card_data_masked"
WHERE = "api"

C = TypeVar("C", bound=Command)


async def guarded(hub: Hub, command: C, *, actor: str) -> C:
    """The command, card numbers masked."""
    suspects = [text for text in _texts(msgspec.structs.astuple(command)) if looks_like_pan(text)]
    if not suspects:
        return command
    codes = {code for code in suspects if await hub.journal.query("SELECT 1 FROM code WHERE code = ?", code)}
    if codes.issuperset(suspects):
        return command
    await note_masked(hub, actor)
    fields = msgspec.structs.asdict(command)
    return type(command)(**_each(fields, lambda text: text if text in codes else mask_pan(text)))


def masked_names(products: tuple[Product, ...]) -> tuple[Product, ...]:
    """The products, card numbers in their names masked; what does not change is the same object."""
    return tuple(
        msgspec.structs.replace(product, name=mask_pan(product.name)) if looks_like_pan(product.name) else product
        for product in products
    )


async def note_masked(hub: Hub, actor: str) -> None:
    """Count it, without the number."""
    await hub.execute(NoteSecurity(kind=CARD_DATA_MASKED, where=WHERE), actor=actor)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from _texts(part)


def _each(value: Any, change: Callable[[str], str]) -> Any:
    """`value` with every text in it changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, tuple):
        return tuple(_each(part, change) for part in value)
    if isinstance(value, dict):
        return {key: _each(part, change) for key, part in value.items()}
    return value
