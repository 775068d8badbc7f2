"""The scale protocols the suite runs, each with the simulator that speaks it."""

from __future__ import annotations

from dataclasses import dataclass

from holdfast_drivers.links.base import Opener
from holdfast_drivers.scales import cas, toledo
from holdfast_drivers.scales.base import ScaleProtocol
from holdfast_drivers.scales.driver import Limits, Scale
from holdfast_drivers.scales.simulator import CasSimulator, ScaleSimulator, ToledoSimulator

LIMITS = Limits(answer=0.2, quiet=0.04, drain=0.2, write=0.3, again=0.01, settle=0.05)

SCALE_KIT_QUIRKS = {
    "net_untold": "an answer does not say whether a tare was taken off",
    "no_clear": "no command takes a tare away",
}
"""What a protocol lacks. No link of the suite has a parity bit: what a wrong one looks like, the simulator sends."""


@dataclass(frozen=True)
class ScaleKit:
    name: str
    protocol: ScaleProtocol
    simulator: type[ScaleSimulator]
    weight: bytes
    """An answer of 1.250 kg."""
    quirks: frozenset[str] = frozenset()

    def driver(self, opener: Opener, limits: Limits = LIMITS) -> Scale:
        return Scale(opener, self.protocol, limits=limits)


class _LongCas(CasSimulator):
    count = 4


SCALE_KITS = (
    ScaleKit("toledo", toledo.protocol(), ToledoSimulator, b"\x0201.250\r"),
    ScaleKit("cas", cas.PROTOCOL, CasSimulator, b"\n01.250KG\r\n00\r\x03", frozenset({"net_untold", "no_clear"})),
    ScaleKit("cas long", cas.PROTOCOL, _LongCas, b"\n01.250KG\r\n0pp0\r\x03", frozenset({"no_clear"})),
)
