from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli_rig import Terminal, running
from hub_rig import Rig


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Terminal]:
    with running(tmp_path) as terminal:
        yield terminal


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Terminal]:
    """A hub that sells."""
    with running(tmp_path, Rig.stock_shop) as terminal:
        yield terminal
