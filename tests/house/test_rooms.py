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
ROOMS = ("counter", "devices", "uplink", "api")
FREE = ("holdfast.runtime", "holdfast.config")
PURE_DRIVERS = ("holdfast_drivers.values", "holdfast_drivers.barcodes")

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
    """May one of our modules import another of ours?"""
    if not under(imported, *FOLDERS) or under(imported, "holdfast_contract"):
        return (
            not under(importer, "holdfast_contract")
            or under(imported, "holdfast_contract")
            or not under(imported, *FOLDERS)
        )
    if under(importer, "holdfast_drivers"):
        return under(imported, "holdfast_drivers")
    if under(importer, "holdfast_fleet"):
        return under(imported, "holdfast_fleet")
    if under(importer, "holdfast.main"):
        return True
    return under(importer, "holdfast") and _inside_daemon(importer, imported)


def _inside_daemon(importer: str, imported: str) -> bool:
    room = importer.split(".")[1] if "." in importer else ""
    own = f"holdfast.{room}"
    if under(imported, own):
        return True
    if room == "domain":
        return False
    if under(imported, *FREE):
        return True
    if room in ("runtime", "config"):
        return False
    if room == "journal":
        return under(imported, "holdfast.domain")
    if under(imported, "holdfast_drivers"):
        return room == "devices" or (room in ("counter", "api") and under(imported, *PURE_DRIVERS))
    if room == "cli":
        return under(imported, "holdfast.journal", "holdfast.domain.registry", "holdfast.counter.commands")
    return room in ROOMS and under(imported, "holdfast.domain", "holdfast.journal")


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
