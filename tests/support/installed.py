"""The example package of docs/writing-a-driver.md, installed as pip would."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

EXAMPLE = Path(__file__).parents[1] / "drivers" / "example_driver"
BUILD = "import sys, hatchling.build; print(hatchling.build.build_wheel(sys.argv[1]))"


def install_example(folder: Path) -> Path:
    """A folder for sys.path that holds its modules and what pip writes about them."""
    source, site = folder / "source", folder / "site"
    shutil.copytree(EXAMPLE, source)
    built = subprocess.run([sys.executable, "-c", BUILD, str(folder)], cwd=source, check=True, capture_output=True)
    with zipfile.ZipFile(folder / built.stdout.decode().split()[-1]) as wheel:
        wheel.extractall(site)
    return site
