"""What flows, second by second, added up until it is written down. Pure; watts in, whole mWh out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from holdfast.domain.consumption import NoteEnergy
from holdfast.domain.stages import Stage
from holdfast_contract.power import Share

GAP = 60.0
"""A pause longer than this is no time anybody looked."""


@dataclass(frozen=True, slots=True)
class Flow:
    """One moment."""

    mains: bool | None
    stage: Stage
    loads: Mapping[str, float]
    """Watts by class, as expected."""
    pack_w: float | None = None
    """What the pack gives the loads, as measured; None: nothing measures it."""
    charging_w: float = 0.0
    """What the pack takes, as measured."""


class Metering:
    """Call `tick` with every moment, `take` for what to write down. Fractions of a mWh and of a second stay for next
    time. What the mains give is reckoned from the loads, and so is the pack's part where nothing measures it.
    """

    def __init__(self, now: float) -> None:
        self._last = now
        self._was: bool | None = None
        self._sums: dict[str, float] = defaultdict(float)
        self._loads: dict[str, float] = defaultdict(float)
        self._stages = [0.0] * len(Stage)
        self._peak = 0.0
        self._outages = 0

    @property
    def seconds(self) -> float:
        """Not yet taken."""
        return self._sums["seconds"]

    def tick(self, flow: Flow, now: float) -> None:
        """The flow from the last moment until now is this one's."""
        dt, self._last = min(max(now - self._last, 0.0), GAP), now
        asked = sum(flow.loads.values())
        if self._was and flow.mains is False:
            self._outages += 1
        self._was = flow.mains
        sums = self._sums
        sums["seconds"] += dt
        self._stages[flow.stage] += dt
        if flow.mains:
            sums["mains"] += asked * dt
        else:
            sums["pack"] += (asked if flow.pack_w is None else flow.pack_w) * dt
            sums["metered_s"] += dt if flow.pack_w is not None else 0.0
            sums["outage_s"] += dt if flow.mains is False else 0.0
        sums["charged"] += flow.charging_w * dt
        for name, watts in flow.loads.items():
            self._loads[name] += watts * dt
        self._peak = max(self._peak, asked if flow.pack_w is None else flow.pack_w)

    def take(self, *, charge: int | None, left_mwh: int | None) -> NoteEnergy:
        """Everything since the last time, as whole numbers."""
        stages = tuple(int(seconds) for seconds in self._stages)
        self._stages = [seconds - whole for seconds, whole in zip(self._stages, stages, strict=True)]
        loads = tuple(Share(name, mwh) for name in sorted(self._loads) if (mwh := _whole_mwh(self._loads, name)))
        noted = NoteEnergy(
            seconds=self._whole("seconds"),
            mains=_whole_mwh(self._sums, "mains"),
            pack=_whole_mwh(self._sums, "pack"),
            charged=_whole_mwh(self._sums, "charged"),
            loads=loads,
            metered_s=self._whole("metered_s"),
            peak=round(self._peak * 1000),
            stages=stages,
            outages=self._outages,
            outage_s=self._whole("outage_s"),
            charge=-1 if charge is None else charge,
            left=-1 if left_mwh is None else left_mwh,
        )
        self._peak, self._outages = 0.0, 0
        return noted

    def _whole(self, name: str) -> int:
        whole = int(self._sums[name])
        self._sums[name] -= whole
        return whole


def _whole_mwh(watt_seconds: dict[str, float], name: str) -> int:
    whole = int(watt_seconds[name] / 3.6)
    watt_seconds[name] -= whole * 3.6
    return whole
