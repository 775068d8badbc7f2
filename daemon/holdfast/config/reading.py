"""TOML in, one frozen typed object out. Every error carries its key path; unknown keys are fatal."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from holdfast.config.checks import cross_checks
from holdfast.config.root import Config


class ConfigError(ValueError):
    """The configuration cannot be used. `problems` holds `(key path, what is wrong)`, all that were found."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__("\n".join(f"{path}: {what}" for path, what in problems))
        self.problems = problems


def load(path: Path) -> Config:
    """Read and check a file. Raises ConfigError with every problem found, OSError when it cannot be read."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError([(str(path), f"not valid TOML: {error}")]) from error
    return parse(raw)


def parse(raw: dict[str, Any]) -> Config:
    """Check a decoded TOML document. Raises ConfigError with every problem found."""
    problems: list[tuple[str, str]] = []
    cleaned = _convert_each(raw, problems)
    if problems:
        raise ConfigError(problems)
    config = msgspec.convert(cleaned, Config)
    problems = cross_checks(config)
    if problems:
        raise ConfigError(problems)
    return config


def _convert_each(raw: dict[str, Any], problems: list[tuple[str, str]]) -> dict[str, Any]:
    """Convert section by section, so that one run names every wrong section, not just the first."""
    fields = {field.name: field for field in msgspec.structs.fields(Config)}
    problems += [(key, "unknown section") for key in raw if key not in fields]
    problems += [(name, "is missing") for name, field in fields.items() if field.required and name not in raw]
    for key, value in raw.items():
        if key in fields:
            _convert_section(key, value, fields[key].type, problems)
    return raw


def _convert_section(key: str, value: Any, kind: Any, problems: list[tuple[str, str]]) -> None:
    """Peel one bad key after another off a section until the rest converts."""
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$")
        path = key + where.rstrip("`")
        if match := re.search(r"unknown field `(\w+)`", what):
            path, what = f"{path}.{match[1]}", "unknown key"
        problems.append((path, what[0].lower() + what[1:]))
        rest = _without(value, path[len(key) :])
        if rest is not None:
            _convert_section(key, rest, kind, problems)


def _without(value: Any, path: str) -> Any | None:
    """`value` less the key at `path` (`.a.b`, `[1].c`); None when there is nothing to take away."""
    steps = re.findall(r"\.(\w+)|\[(\d+)\]", path)
    if not steps or not steps[-1][0]:
        return None
    copy = msgspec.to_builtins(value)
    node = copy
    for name, index in steps[:-1]:
        node = node[name] if name else node[int(index)]
    if steps[-1][0] not in node:
        return None
    del node[steps[-1][0]]
    return copy
