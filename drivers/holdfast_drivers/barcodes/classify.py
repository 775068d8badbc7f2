"""What a scan is, by its form alone. The first match wins, in the order of `classify`."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum

from holdfast_drivers.barcodes import commands, receipts
from holdfast_drivers.barcodes.badges import Badge, parse_badge
from holdfast_drivers.barcodes.errors import CodeError
from holdfast_drivers.barcodes.gs1 import AIM_IDS, SEPARATOR, ElementString, parse_element_string
from holdfast_drivers.barcodes.gs1_associations import check_repeats
from holdfast_drivers.barcodes.gs1_digital_link import LENIENT, SCHEME, parse_digital_link
from holdfast_drivers.barcodes.gs1_scan_data import COMPONENT
from holdfast_drivers.barcodes.gtin import Gtin, expand_upc_e, split_add_on
from holdfast_drivers.barcodes.pan import looks_like_pan, mask_pan
from holdfast_drivers.values import Scan


@dataclass(frozen=True, slots=True)
class CommandCode:
    """A command card, whole and right. Whether the hub knows `code` is not said."""

    code: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """A linear receipt code, check character right."""

    number: str
    """As printed, without dashes."""


@dataclass(frozen=True, slots=True)
class SignedReceipt:
    body: str
    """After `HFR1.`; its signature is not verified."""


class TokenKind(Enum):
    PICKUP = "HFP1."
    RETURN = "HFM1."


@dataclass(frozen=True, slots=True)
class Token:
    """Whoever holds it gets the goods: never log or show the body."""

    kind: TokenKind
    body: str = field(repr=False)
    """After the prefix; its signature is not verified."""


class LabelKind(Enum):
    FULFILMENT = "HFF"
    LOCATION = "HFL"
    TOTE = "HFT"
    COUNT_SHEET = "HFK"
    ASSET = "HFA"


@dataclass(frozen=True, slots=True)
class Label:
    """One of the house's own labels."""

    kind: LabelKind
    label_id: str
    """0-9, A-Z and dash, 32 characters at most; of an asset with a GRAI, all of (8003) after its leading zero."""


@dataclass(frozen=True, slots=True)
class Text:
    """None of the forms: a house code when the catalogue knows exactly this text, else an unknown code."""

    text: str = field(repr=False)
    """May hold a card number: before an unknown text is stored or shown, it is `masked`."""

    @property
    def has_pan(self) -> bool:
        return looks_like_pan(self.text)

    @property
    def masked(self) -> str:
        return mask_pan(self.text)


Code = CommandCode | Badge | Receipt | SignedReceipt | Token | Label | ElementString | Gtin | Text

_HOUSE = "HF"
"""Begins every form of the house's own."""
_LABEL_ID = re.compile(r"[0-9A-Z][0-9A-Z-]{0,31}")
_EAN_UPC, _EAN_UPC_WITH_ADD_ON, _EAN_8 = "]E0", "]E3", "]E4"


def classify(scan: Scan) -> Code:
    """Total: every scan is something, and whatever no form fits is `Text`.

    An `ElementString` given here has a `gtin`.
    """
    text = _decode(scan.data)
    if text.startswith(_HOUSE):
        for parse in (_command, parse_badge, _receipt, _token, _label):
            with suppress(CodeError):
                return parse(text)
    with suppress(CodeError):
        return _gs1(text, scan.aim)
    return Text(text)


def _decode(data: bytes) -> str:
    """UTF-8, as in most QR codes; else one character per byte, so that no scan is lost for its encoding."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _command(text: str) -> CommandCode:
    return CommandCode(commands.decode(text))


def _receipt(text: str) -> Receipt | SignedReceipt:
    if text.startswith(receipts.SIGNED_PREFIX):
        return SignedReceipt(text.removeprefix(receipts.SIGNED_PREFIX))
    return Receipt(receipts.decode_receipt(text))


def _token(text: str) -> Token:
    """However damaged, a token is taken for one: as `Text` it would be shown."""
    for kind in TokenKind:
        if text.startswith(kind.value):
            return Token(kind, text.removeprefix(kind.value))
    raise CodeError("not a token")


def _label(text: str) -> Label:
    for kind in LabelKind:
        label_id = text.removeprefix(kind.value)
        if label_id != text and _LABEL_ID.fullmatch(label_id):
            return Label(kind, label_id)
    raise CodeError("not a label")


def _gs1(text: str, aim: str) -> ElementString | Label | Gtin:
    """By AIM identifier. Without one, digits are a GTIN, or elements if they begin with (01) and nothing is amiss."""
    if SCHEME.match(text):
        return _item_or_asset(parse_digital_link(text, LENIENT))
    if COMPONENT in text:
        return _item_or_asset(parse_element_string(_joined(text, aim), tolerant=True))
    if aim in AIM_IDS:
        return _item_or_asset(parse_element_string(text, tolerant=True))
    if not aim and text.startswith("01") and len(text) >= len("01") + 14:
        return _item_or_asset(parse_element_string(text))
    return _gtin(text, aim)


def _joined(text: str, aim: str) -> str:
    """The elements of a composite symbol: of an EAN/UPC one, its number and those of the 2D component."""
    linear, _, component = text.partition(COMPONENT)
    front = linear if aim in AIM_IDS else "01" + _gtin(linear, aim).digits
    return front + SEPARATOR + component


def _item_or_asset(elements: ElementString) -> ElementString | Label:
    """What the hub handles. Raises CodeError for anything else, and for elements that contradict each other."""
    check_repeats(elements.elements)
    if elements.get("01") is not None:
        return elements
    grai = elements.get("8003")
    if grai is None:
        raise CodeError("neither a trade item nor a reusable asset")
    return Label(LabelKind.ASSET, grai[1:])


def _gtin(text: str, aim: str) -> Gtin:
    """8 digits are an EAN-8 or a UPC-E and only the AIM identifier can tell; without one EAN-8 is taken."""
    if aim == _EAN_UPC and len(text) == 8:
        text = expand_upc_e(text)
    elif aim == _EAN_UPC_WITH_ADD_ON:
        text, _ = split_add_on(text)
    if aim and (len(text) == 8) != (aim == _EAN_8):
        raise CodeError(f"{len(text)} digits in a {aim} symbol are no GTIN")
    return Gtin.parse(text)
