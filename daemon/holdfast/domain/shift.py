"""The drawer and its shifts."""

from __future__ import annotations

from holdfast.domain.core import Command


class OpenShift(Command, frozen=True, tag="shift.open", kw_only=True):
    """Start selling with `float_in` minor units counted in the drawer. The actor's badge is responsible."""

    station: str
    float_in: int


class CloseShift(Command, frozen=True, tag="shift.close", kw_only=True):
    """Close with a blind count of the drawer. By the badge that opened it, or a supervisor."""

    station: str
    counted: int
    why: str = ""


class MoveDrawer(Command, frozen=True, tag="shift.move_drawer", kw_only=True):
    """`pay_in`, `pay_out`, `safe_drop` of `amount`, or `no_sale` with 0. pay_out and no_sale: role supervisor."""

    station: str
    kind: str
    amount: int = 0
    why: str = ""


class PrintX(Command, frozen=True, tag="shift.print_x", kw_only=True):
    """Print the totals so far. Changes nothing."""

    station: str
