"""Pure values that cross a driver's edge: what a device said, what it should do. No I/O, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum


class Tri(Enum):
    """A status a device may not have told us. Silence is UNKNOWN, never fine."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class DeviceState(Enum):
    """UnifiedPOS's PowerState (1.16, Common Properties; both its standard and its advanced reporting)."""

    ONLINE = "online"
    """Powered on and ready for use."""
    OFF = "off"
    """Off, or detached from the hub."""
    OFFLINE = "offline"
    """Powered on, but not ready: it says so itself."""
    OFF_OFFLINE = "off_offline"
    """One of the two; nobody can tell which."""
    UNKNOWN = "unknown"


class DeviceError(Exception):
    """A device failed. `kind` is stable: `absent`, `unplugged`, `timeout`, `refused`, `garbled`, `busy`, `bus`,
    `bus_stuck`.
    """

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(f"{kind}: {detail}" if detail else kind)
        self.kind = kind
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Scan:
    """One read of a barcode scanner."""

    data: bytes
    """The symbol's content, AIM identifier and terminator taken off; GS (0x1D) kept."""
    aim: str = ""
    """AIM symbology identifier, e.g. `]E0` (ISO/IEC 15424); empty when the scanner sends none."""
    terminated: bool = True
    """False when an idle gap, not a terminator, ended the read."""
    at: float = 0.0
    """Monotonic seconds at the last byte."""


class Proof(IntEnum):
    """How a print job was proved; smaller is stronger (docs/devices.md, job-completed proof)."""

    PROCESS_ID = 1
    """GS ( H reply with the job's id: all data before it is on paper."""
    COUNTER = 2
    """Star's ETB counter went on by one: all data before it is on paper."""
    IN_ORDER = 3
    """An in-order reply (GS r): all data before it was processed."""
    NONE = 4
    """The bytes left, nothing came back."""


class Printed(Enum):
    """How a print job ended."""

    PRINTED = "printed"
    NOT_PRINTED = "not_printed"
    """Proved: no byte of it reached the printer."""
    UNKNOWN = "unknown"
    """Some bytes may have reached it. A person must look."""


@dataclass(frozen=True, slots=True)
class PrintResult:
    outcome: Printed
    proof: Proof = Proof.NONE
    reason: str = ""
    """Stable key when not PRINTED: `absent`, `unplugged`, `timeout`, `offline`, `paper_end`, `cover_open`, `error`,
    `no_proof`, `not composed`."""


@dataclass(frozen=True, slots=True)
class PrinterStatus:
    online: Tri = Tri.UNKNOWN
    paper: Tri = Tri.UNKNOWN
    """Is there paper to print on."""
    paper_low: Tri = Tri.UNKNOWN
    cover_open: Tri = Tri.UNKNOWN
    cutter_fault: Tri = Tri.UNKNOWN
    fault: Tri = Tri.UNKNOWN
    """Any error that needs a hand or a power cycle."""
    drawer_open: Tri = Tri.UNKNOWN
    at: float | None = None
    """Monotonic seconds of the reading; None: never read."""


@dataclass(frozen=True, slots=True)
class PowerReading:
    """One sample of a battery board. `None` is "this board cannot tell, or did not answer"."""

    at: float
    """Monotonic seconds."""
    cell_mv: int | None = None
    """Millivolts per cell."""
    charge_permille: int | None = None
    """The gauge's own state of charge, 0..1000, clamped."""
    rate_permille_per_hour: int | None = None
    """Signed: + charging."""
    mains: Tri = Tri.UNKNOWN
    """AC present."""
    pack_mv: int | None = None
    """Millivolts of the cells in series."""
    current_ma: int | None = None
    """Of the battery; signed: + charging."""
    power_mw: int | None = None
    """Of the battery; signed as the current."""
    temperature_dc: int | None = None
    """Of the battery, in tenths of a degree Celsius."""
    cells_mv: tuple[int, ...] = ()
    """Each cell, where the board measures them one by one."""
    minutes_left: int | None = None
    """A UPS's own estimate."""
    estimated: bool = False
    """`charge_permille` was computed from the voltage, for the board has no gauge."""
    mains_inferred: bool = False
    """`mains` was concluded from the direction of the current, for the board has no line for it."""
    stop_asked: bool = False
    """The board or UPS itself says that it will cut the power soon."""
    replace_asked: bool = False
    """A UPS itself says that its battery should be replaced."""
    tested: str = ""
    """A UPS's own word on its last test (NUT's `ups.test.result`)."""
    missed: str = ""
    """Kind of the DeviceError for which the gauge has said nothing; empty when it did."""


class ScaleState(Enum):
    """What a scale says of what lies on it, in UnifiedPOS's words (Scale, StatusUpdateEvent)."""

    STABLE_WEIGHT = "stable_weight"
    WEIGHT_UNSTABLE = "weight_unstable"
    """In motion."""
    WEIGHT_ZERO = "weight_zero"
    """Nothing lies on it, or it was tared just now."""
    WEIGHT_UNDER_ZERO = "weight_under_zero"
    WEIGHT_OVERWEIGHT = "weight_overweight"
    NOT_READY = "not_ready"
    """It reports a fault of its own."""
    UNKNOWN = "unknown"
    """It said nothing, or nothing that was understood."""


class WeightUnit(Enum):
    KILOGRAM = "kg"
    GRAM = "g"
    POUND = "lb"
    OUNCE = "oz"


@dataclass(frozen=True, slots=True)
class Weight:
    """What a scale shows, exactly: `units` / 10 ** `places` of `unit`, and more than nothing."""

    units: int
    places: int
    unit: WeightUnit

    def __post_init__(self) -> None:
        if self.units <= 0 or self.places < 0:
            raise ValueError(f"{self.units} / 10 ** {self.places} is no weight")

    def __str__(self) -> str:
        whole, fraction = divmod(self.units, 10**self.places)
        return f"{whole}{f'.{fraction:0{self.places}}' if self.places else ''} {self.unit.value}"

    @property
    def grams(self) -> int | None:
        """Whole grams; None when the unit is not metric, or the weight finer than a gram."""
        places = {WeightUnit.KILOGRAM: 3, WeightUnit.GRAM: 0}.get(self.unit)
        if places is None:
            return None
        grams, rest = divmod(self.units * 10**places, 10**self.places)
        return None if rest else grams


@dataclass(frozen=True, slots=True)
class ScaleReading:
    """One answer of a scale. There is a weight if and only if the state is STABLE_WEIGHT: no error is a weight of 0."""

    state: ScaleState = ScaleState.UNKNOWN
    weight: Weight | None = None
    net: Tri = Tri.UNKNOWN
    """A tare was taken off."""
    detail: str = ""
    """Stable key of what more is known: `timeout`, `garbled`, `unit`, `outside_zero_capture`, `fault`, ..."""

    def __post_init__(self) -> None:
        if (self.weight is not None) is not (self.state is ScaleState.STABLE_WEIGHT):
            raise ValueError(f"{self.state.value} with weight {self.weight}")


class Align(Enum):
    LEFT = "left"
    CENTRE = "centre"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class Text:
    """One paragraph; the printer wraps it at words."""

    text: str
    align: Align = Align.LEFT
    bold: bool = False
    big: bool = False
    """Double width and height."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Left text and right text on one line; the left part wraps, the right part never does."""

    left: str
    right: str
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A line across the paper."""


@dataclass(frozen=True, slots=True)
class Feed:
    lines: int = 1


class Symbol(Enum):
    CODE128 = "code128"
    GS1_128 = "gs1-128"
    EAN13 = "ean13"
    QR = "qr"


@dataclass(frozen=True, slots=True)
class Barcode:
    symbol: Symbol
    data: str
    """Code 128: printable ASCII; GS1-128: elements in brackets, `(01)09506000134352(10)AB`; EAN-13: 13 digits; QR: any
    text."""
    caption: bool = True


@dataclass(frozen=True, slots=True)
class Image:
    """A picture of black dots, in the middle of the paper; one wider than the paper is made smaller."""

    width: int
    height: int
    rows: bytes
    """Rows from the top, each of whole bytes, most significant bit left, 1 is ink."""

    def __post_init__(self) -> None:
        if self.width < 1 or len(self.rows) != (self.width + 7) // 8 * self.height:
            raise ValueError(f"{len(self.rows)} bytes are not {self.width} x {self.height} dots")


Block = Text | Columns | Rule | Feed | Barcode | Image


@dataclass(frozen=True, slots=True)
class Document:
    """Something to put on paper, knowing no printer. Ends with a cut unless `cut` is False."""

    blocks: tuple[Block, ...]
    cut: bool = True
