"""The sheet of command cards: A4 pages to print, cut and laminate, grouped by when a card is used."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reportlab.lib.colors import Color, HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from holdfast.cli.drawing import BOLD, INK, LINE, MONO, PALE, REGULAR, draw_barcode, draw_chip, draw_lines, lettered
from holdfast.counter.commands import CARDS, GOODS, TILL, Act, Card, barcode_of
from holdfast.counter.language import Language, Words

WIDTH, HEIGHT = A4
MARGIN = 12 * mm
GAP = 2.5 * mm
CARD_HEIGHT = 26.4 * mm
HEAD = 24 * mm
FOOT = 12 * mm
SECTION_HEAD = 9 * mm
FACE_SIZE = 20

TITLE = Words("Command cards", "Befehlskarten", "Cartes de commande")
FOOTNOTE = Words(
    "Cut along the lines. Red cards need the same scan twice within 10 seconds.",
    "An den Linien schneiden. Rote Karten zweimal innerhalb von 10 Sekunden scannen.",
    "Découper le long des lignes. Scanner deux fois en 10 secondes les cartes rouges.",
)
TWICE = Words("scan twice", "2x scannen", "scanner 2x")
ROLES = {
    "supervisor": Words("supervisor", "Schichtleitung", "responsable"),
    "technician": Words("technician", "Technik", "technicien"),
}
RED = HexColor("#b3261e")

_DRAWER = {
    Act.SHIFT_OPEN, Act.SHIFT_CLOSE, Act.PAY_IN, Act.PAY_OUT, Act.SAFE_DROP, Act.NO_SALE,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Section:
    """Cards that belong together on the paper."""

    title: Words
    color: Color
    columns: int
    holds: Callable[[Card], bool]


SECTIONS = (
    Section(
        Words("Digits", "Ziffern", "Chiffres"), HexColor("#45525f"), 5, lambda card: card.act is Act.DIGIT
    ),
    Section(
        Words("Quick cash", "Schnell bar", "Espèces rapides"), HexColor("#1d7a46"), 4,
        lambda card: card.act is Act.CASH_NOTE,
    ),
    Section(
        Words("Selling", "Verkaufen", "Vendre"), HexColor("#1d7a46"), 3,
        lambda card: card.modes == TILL and card.act not in _DRAWER | {Act.X_REPORT},
    ),
    Section(
        Words("Receiving goods", "Ware annehmen", "Recevoir la marchandise"), HexColor("#1f5fa8"), 3,
        lambda card: card.modes == GOODS,
    ),
    Section(
        Words("Drawer and shift", "Kasse und Schicht", "Caisse et poste"), HexColor("#a06a00"), 3,
        lambda card: card.act in _DRAWER,
    ),
    Section(Words("Everything else", "Alles Weitere", "Tout le reste"), HexColor("#5b4a9c"), 3, lambda _: True),
)  # fmt: skip
"""A card is in the first section that holds it."""


def draw_sheet(target: Path, *, shop: str = "", language: Language = "en", cards: Sequence[Card] = CARDS) -> int:
    """Write the PDF; returns the number of pages. Raises OSError."""
    page = Canvas(str(target), pagesize=A4, invariant=True)
    page.setTitle(f"holdfast: {TITLE.to('en')}")
    page.setAuthor("holdfast")
    pages = _Pages(page, shop, language)
    for section, held in _sorted(cards):
        _draw_section(pages, section, held)
    pages.end()
    page.save()
    return pages.number


def _sorted(cards: Sequence[Card]) -> Iterator[tuple[Section, list[Card]]]:
    rest = list(cards)
    for section in SECTIONS:
        held = [card for card in rest if section.holds(card)]
        rest = [card for card in rest if card not in held]
        if held:
            yield section, held


class _Pages:
    """Where the next row goes, and what stands on every page."""

    def __init__(self, page: Canvas, shop: str, language: Language) -> None:
        self.page = page
        self.language = language
        self.number = 0
        self.top = 0.0
        self._shop = shop

    def need(self, height: float) -> None:
        """Begin another page unless this much room is left."""
        if not self.number or self.top - height < FOOT:
            self.end()
            self._begin()

    def end(self) -> None:
        if self.number:
            self.page.showPage()

    def _begin(self) -> None:
        self.number += 1
        page = self.page
        page.setFillColor(INK)
        page.setFont(BOLD, 17)
        page.drawString(MARGIN, HEIGHT - 17 * mm, TITLE.to(self.language))
        shop, font = lettered(self._shop, REGULAR)
        page.setFont(font, 9)
        page.setFillColor(PALE)
        page.drawRightString(WIDTH - MARGIN, HEIGHT - 17 * mm, shop)
        page.setStrokeColor(INK)
        page.setLineWidth(0.8)
        page.line(MARGIN, HEIGHT - 20 * mm, WIDTH - MARGIN, HEIGHT - 20 * mm)
        page.setFont(REGULAR, 7.5)
        page.drawString(MARGIN, 8 * mm, FOOTNOTE.to(self.language))
        page.drawRightString(WIDTH - MARGIN, 8 * mm, f"holdfast · {self.number}")
        self.top = HEIGHT - HEAD


def _draw_section(pages: _Pages, section: Section, cards: list[Card]) -> None:
    columns = section.columns
    rows = [cards[at : at + columns] for at in range(0, len(cards), columns)]
    pages.need(SECTION_HEAD + CARD_HEIGHT)
    page = pages.page
    page.setFillColor(section.color)
    page.roundRect(MARGIN, pages.top - 5.4 * mm, 1.6 * mm, 5 * mm, 0.8 * mm, stroke=0, fill=1)
    page.setFont(BOLD, 11)
    page.drawString(MARGIN + 3.5 * mm, pages.top - 4.4 * mm, section.title.to(pages.language))
    pages.top -= SECTION_HEAD
    width = (WIDTH - 2 * MARGIN - (columns - 1) * GAP) / columns
    for row in rows:
        pages.need(CARD_HEIGHT)
        for column, card in enumerate(row):
            left = MARGIN + column * (width + GAP)
            _draw_card(page, card, section, left=left, width=width, bottom=pages.top - CARD_HEIGHT, to=pages.language)
        pages.top -= CARD_HEIGHT + GAP
    pages.top -= 2 * mm


def _draw_card(
    page: Any, card: Card, section: Section, *, left: float, width: float, bottom: float, to: Language
) -> None:
    color = RED if card.risky else section.color
    page.setStrokeColor(LINE)
    page.setLineWidth(0.6)
    page.roundRect(left, bottom, width, CARD_HEIGHT, 2 * mm, stroke=1, fill=0)
    page.setFillColor(color)
    page.rect(left + 3 * mm, bottom + CARD_HEIGHT - 1 * mm, width - 6 * mm, 1 * mm, stroke=0, fill=1)
    _draw_words(page, card, color, left=left + 3 * mm, top=bottom + CARD_HEIGHT - 2 * mm, width=width - 6 * mm, to=to)
    text = barcode_of(card)
    draw_barcode(page, text, left=left, bottom=bottom + 5.4 * mm, width=width, height=9.6 * mm)
    page.setFillColor(PALE)
    page.setFont(MONO, 7)
    page.drawString(left + 3 * mm, bottom + 2.1 * mm, text)
    right = left + width - 2.5 * mm
    if card.risky:
        right = draw_chip(page, TWICE.to(to), right=right, bottom=bottom + 1.5 * mm, color=RED) - mm
    if card.role is not None and card.role.name.lower() in ROLES:
        role = ROLES[card.role.name.lower()].to(to)
        draw_chip(page, role, right=right, bottom=bottom + 1.5 * mm, color=PALE)


def _draw_words(page: Any, card: Card, color: Color, *, left: float, top: float, width: float, to: Language) -> None:
    """What the card does; a card with a number shows it large."""
    face = _face(card)
    if face:
        page.setFillColor(color)
        page.setFont(BOLD, FACE_SIZE)
        page.drawString(left, top - 7.4 * mm, face)
        indent = stringWidth(face, BOLD, FACE_SIZE) + 2 * mm
        draw_lines(page, card.words.to(to), left=left + indent, top=top - 1.6 * mm, width=width - indent, size=8)
    else:
        draw_lines(page, card.words.to(to), left=left, top=top, width=width, font=BOLD, size=10.5)


def _face(card: Card) -> str:
    match card.act:
        case Act.DIGIT | Act.CASH_NOTE:
            return str(card.value)
        case Act.FIXED_DISCOUNT:
            return f"{card.value} %"
        case _:
            return ""
