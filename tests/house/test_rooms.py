"""The rooms of the house: who may import whom, and how big a room may grow."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
FOLDERS = {
    "holdfast_contract": "contract",
    "holdfast": "daemon",
    "holdfast_drivers": "drivers",
    "holdfast_fleet": "fleet",
}
FREE = ("holdfast.runtime", "holdfast.config")
PURE_DRIVERS = ("holdfast_drivers.values", "holdfast_drivers.barcodes")
RECORD = ("holdfast.domain", "holdfast.journal")

MAY: dict[str, tuple[str, ...]] = {
    "holdfast_contract": (),
    "holdfast_drivers": (),
    "holdfast_fleet": ("holdfast_fleet",),
    "holdfast": (),
    "holdfast.runtime": ("holdfast.runtime", "holdfast.config"),
    "holdfast.config": ("holdfast.config",),
    "holdfast.domain": ("holdfast.domain",),
    "holdfast.journal": ("holdfast.journal", "holdfast.domain", *FREE),
    "holdfast.counter": ("holdfast.counter", *RECORD, *FREE, *PURE_DRIVERS),
    "holdfast.devices": ("holdfast.devices", *RECORD, *FREE, "holdfast_drivers"),
    "holdfast.uplink": ("holdfast.uplink", *RECORD, *FREE),
    "holdfast.api": ("holdfast.api", *RECORD, *FREE, *PURE_DRIVERS),
    "holdfast.cli": (
        "holdfast.cli",
        "holdfast.journal",
        *FREE,
        "holdfast.domain.registry",
        "holdfast.domain.energy",
        "holdfast.counter.commands",
        "holdfast.counter.language",
    ),
    "holdfast.main": ("holdfast", "holdfast_drivers"),
    "holdfast.assembly": ("holdfast", "holdfast_drivers"),
}
"""What each room may import besides the contract. The rooms above the journal do not know each other."""

MODULE_LINES = 500
FUNCTION_LINES = 50
MAIN_LINES = 250

Edge = tuple[str, str]


def modules() -> dict[str, Path]:
    found = {}
    for folder in FOLDERS.values():
        root = HOUSE / folder
        for path in root.rglob("*.py"):
            name = ".".join(path.relative_to(root).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = path
    return found


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def under(name: str, *parents: str) -> bool:
    return any(name == parent or name.startswith(parent + ".") for parent in parents)


def allowed(importer: str, imported: str) -> bool:
    """May one of our modules import this? What is not ours is nobody's business here."""
    if not under(imported, *FOLDERS):
        return True
    package, _, rest = importer.partition(".")
    room = rest.split(".")[0] if package == "holdfast" else ""
    may = MAY[f"{package}.{room}" if room else package]
    return under(imported, "holdfast_contract" if package != "holdfast_drivers" else package, *may)


def edges() -> Iterator[Edge]:
    known = modules()
    for name, path in known.items():
        for imported in imports(path):
            yield name, imported


def test_imports_go_one_way() -> None:
    assert [edge for edge in edges() if not allowed(*edge)] == []


@pytest.mark.parametrize(
    "edge",
    [
        ("holdfast.domain.sale", "holdfast.journal.journal"),
        ("holdfast.domain.sale", "holdfast.runtime.clock"),
        ("holdfast.counter.station", "holdfast.devices.printer"),
        ("holdfast.counter.station", "holdfast_drivers.links.serial"),
        ("holdfast.journal.writer", "holdfast.counter.spool"),
        ("holdfast.uplink.session", "holdfast_drivers.values"),
        ("holdfast_drivers.values", "holdfast.config"),
        ("holdfast_fleet.store", "holdfast.journal.verify"),
        ("holdfast_contract.record", "holdfast.config"),
        ("holdfast.runtime.clock", "holdfast.journal.journal"),
    ],
)
def test_the_rule_itself_forbids(edge: Edge) -> None:
    assert not allowed(*edge)


def test_areas_import_only_earlier_areas() -> None:
    from holdfast.domain.registry import AREAS

    names = [area.name for area in AREAS]
    order = {name: index for index, name in enumerate(names)}
    wrong = []
    for module, path in modules().items():
        area = module.removeprefix("holdfast.domain.")
        if area not in order or not module.startswith("holdfast.domain."):
            continue
        for imported in imports(path):
            other = imported.removeprefix("holdfast.domain.").split(".")[0]
            if imported.startswith("holdfast.domain.") and other in order and order[other] > order[area]:
                wrong.append((area, other))
    assert wrong == []


def test_the_domain_is_synchronous_and_knows_no_clock() -> None:
    banned = ("asyncio", "time", "socket", "logging", "threading", "sqlite3", "os", "random")
    wrong = [
        (name, imported) for name, imported in edges() if under(name, "holdfast.domain") and under(imported, *banned)
    ]
    assert wrong == []


def test_modules_and_functions_stay_small() -> None:
    large = []
    for name, path in modules().items():
        text = path.read_text()
        if len(text.splitlines()) > (MAIN_LINES if name == "holdfast.main" else MODULE_LINES):
            large.append(name)
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                if length > FUNCTION_LINES:
                    large.append(f"{name}.{node.name}: {length}")
    assert large == []


def test_no_package_in_a_top_level_folder() -> None:
    assert [
        str(path)
        for folder in (*FOLDERS.values(), "systemd", "hil", "bench", "demo")
        for path in HOUSE.glob(f"{folder}/__init__.py")
    ] == []
