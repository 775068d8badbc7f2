"""A badge as a card of credit-card size, alone on its page, with crop marks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from reportlab.lib.colors import HexColor, white
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from holdfast.cli.drawing import BOLD, INK, LINE, MONO, PALE, REGULAR, draw_barcode, draw_lines

WIDTH, HEIGHT = 85.6 * mm, 54 * mm
"""ISO/IEC 7810 ID-1."""
EDGE = 10 * mm
BAND = 13 * mm
COLORS = {"cashier": HexColor("#1d7a46"), "supervisor": HexColor("#a06a00"), "technician": HexColor("#5b4a9c")}


def draw_badge(target: Path, *, shop: str, name: str, role: str, badge: str, text: str) -> None:
    """Write the PDF, readable by its owner alone: who has it can print the badge. Raises OSError."""
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        page = Canvas(file, pagesize=(WIDTH + 2 * EDGE, HEIGHT + 2 * EDGE), invariant=True)
        page.setTitle(f"holdfast badge {badge}")
        _crop_marks(page)
        page.translate(EDGE, EDGE)
        page.setFillColor(COLORS.get(role, INK))
        page.rect(0, HEIGHT - BAND, WIDTH, BAND, stroke=0, fill=1)
        draw_lines(
            page, shop, left=5 * mm, top=HEIGHT - 2 * mm, width=WIDTH - 34 * mm, font=BOLD, size=10.5, color=white
        )
        page.setFont(REGULAR, 9)
        page.drawRightString(WIDTH - 5 * mm, HEIGHT - 5.6 * mm, role)
        draw_lines(
            page, name, left=5 * mm, top=HEIGHT - BAND - 2.5 * mm, width=WIDTH - 10 * mm, font=BOLD, size=18, lines=1
        )
        draw_barcode(page, text, left=0, bottom=8 * mm, width=WIDTH, height=16 * mm)
        page.setFillColor(PALE)
        page.setFont(MONO, 7.5)
        page.drawCentredString(WIDTH / 2, 4 * mm, badge)
        page.showPage()
        page.save()


def _crop_marks(page: Any) -> None:
    page.setStrokeColor(LINE)
    page.setLineWidth(0.4)
    for x in (EDGE, EDGE + WIDTH):
        page.line(x, 0, x, EDGE - 2 * mm)
        page.line(x, HEIGHT + EDGE + 2 * mm, x, HEIGHT + 2 * EDGE)
    for y in (EDGE, EDGE + HEIGHT):
        page.line(0, y, EDGE - 2 * mm, y)
        page.line(WIDTH + EDGE + 2 * mm, y, WIDTH + 2 * EDGE, y)
