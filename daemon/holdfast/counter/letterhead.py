"""What every paper of a hub has in common: name, marks, figures in the hub's language."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from holdfast.config import Hub
from holdfast.counter import figures, words
from holdfast_drivers.values import Align, Block, Columns, Image, Text


@dataclass(frozen=True, slots=True)
class Marks:
    """Printed large at the top, so that no such paper passes for the first and only one."""

    training: bool = False
    copy: int = 0
    """Which copy; 0 is the original."""
    late: bool = False
    """Printed long after it was made."""


class Letterhead:
    """A hub's style. Pure: reads no clock and no table."""

    def __init__(self, hub: Hub, logo: Image | None = None) -> None:
        self.hub = hub
        self._logo = logo
        self._zone = ZoneInfo(hub.timezone)

    def head(self, marks: Marks) -> list[Block]:
        """Logo, shop name, header lines and marks."""
        blocks: list[Block] = [self._logo] if self._logo is not None else []
        blocks += [Text(self.hub.name, Align.CENTRE, bold=True, big=True)]
        blocks += [Text(line, Align.CENTRE) for line in self.hub.header]
        blocks += [Text(mark, Align.CENTRE, bold=True, big=True) for mark in self._marks(marks)]
        return blocks

    def foot(self) -> list[Block]:
        return [Text(line, Align.CENTRE) for line in self.hub.footer]

    def label(self, key: str) -> str:
        return words.label(key, self.hub.language)

    def need(self, key: str) -> str:
        return words.need(key, self.hub.language)

    def reason(self, code: str) -> str:
        return words.reason(code, self.hub.language)

    def money(self, amount: int) -> str:
        return figures.money(amount, self.hub.exponent, self.hub.language)

    def weight(self, grams: int) -> str:
        return figures.weight(grams, self.hub.language)

    def rate(self, ppm: int) -> str:
        return figures.percent(ppm, self.hub.language)

    def local(self, at_ms: int) -> datetime:
        return figures.local(at_ms, self._zone)

    def figure(self, key: str, amount: int, *, bold: bool = False) -> Columns:
        """A labelled amount."""
        return Columns(self.label(key), self.money(amount), bold)

    def dated(self, at_ms: int) -> Columns:
        """Local date and time."""
        local = self.local(at_ms)
        return Columns(f"{local:%Y-%m-%d}", f"{local:%H:%M}")

    def _marks(self, marks: Marks) -> list[str]:
        texts = [self.label("training")] * marks.training
        texts += [f"{self.label('copy')} {marks.copy}"] * bool(marks.copy)
        return texts + [self.label("late")] * marks.late
