"""The shop's logo, made into dots for the printer it has."""

from __future__ import annotations

import logging
from pathlib import Path

from holdfast.config import Config
from holdfast_drivers.printers.bitmap import load_picture
from holdfast_drivers.printers.profiles import load_profile
from holdfast_drivers.values import Image

log = logging.getLogger(__name__)

ROWS = 400
"""Highest it may be: 5 cm of every receipt."""


def load_logo(config: Config) -> Image | None:
    """None without one, and without one that can be read: a shop opens without its logo. Blocks."""
    if not config.hub.logo or config.printer is None:
        return None
    try:
        dots = load_profile(config.printer.profile, dots=config.printer.dots).dots
        return load_picture(Path(config.hub.logo), dots=dots, rows=ROWS)
    except (OSError, ValueError) as error:
        log.warning("receipts go without the logo: %s", error)
        return None
