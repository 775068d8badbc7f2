"""The ways to speak to a customer display that the suite runs."""

from __future__ import annotations

from dataclasses import dataclass

from holdfast_drivers.displays.commands import PAGES, Dialect, Language


@dataclass(frozen=True)
class DisplayKit:
    name: str
    language: Language


DISPLAY_KITS = (
    DisplayKit("epson", Language()),
    DisplayKit("epson-all-pages", Language(pages=tuple(PAGES))),
    DisplayKit("pass-through", Language(pass_through=True)),
    DisplayKit("cd5220", Language(Dialect.CD5220, pages=())),
    DisplayKit("cd5220-cp437", Language(Dialect.CD5220, pages=("cp437",))),
)
