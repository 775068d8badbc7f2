from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub_rig import Rig, open_hub


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Rig]:
    async with open_hub(tmp_path) as rig:
        yield rig


@pytest.fixture
async def shop(hub: Rig) -> Rig:
    """A hub that sells."""
    await hub.stock_shop()
    return hub
