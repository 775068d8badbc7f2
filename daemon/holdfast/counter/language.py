"""The languages of slips, receipts and cards."""

from __future__ import annotations

from typing import Literal, NamedTuple

Language = Literal["en", "de", "fr"]


class Words(NamedTuple):
    """One text in every language."""

    en: str
    de: str
    fr: str

    def to(self, language: Language) -> str:
        return {"en": self.en, "de": self.de, "fr": self.fr}[language]
