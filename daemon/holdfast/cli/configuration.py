"""The configuration file from a terminal: checked, or shown with every default filled in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast.cli.client import UsageError
from holdfast.cli.session import DEFAULT_CONFIG, Session, command, read_config

if TYPE_CHECKING:
    from rich.console import RenderableType

app = typer.Typer(help="The hub's configuration file.", no_args_is_help=True)
File = Annotated[Path | None, typer.Argument(help=f"{DEFAULT_CONFIG} when left out.", show_default=False)]


@command(app, examples=("holdfast config check", "holdfast config check ./holdfast.toml"))
def check(session: Session, file: File = None) -> None:
    """Name every error with its key path. Exit status 2 when there is one."""
    from holdfast.counter.commands import button_problems

    file = file or session.config_file
    config = read_config(file)
    if problems := button_problems(config):
        raise UsageError(f"{file} cannot be used:", "\n".join(f"{key}: {what}" for key, what in problems))
    session.show(
        {"ok": True, "hub": config.hub.id, "stations": [station.name for station in config.stations]},
        lambda answer: _fine(answer, file),
    )


@command(app, examples=("holdfast config show", "holdfast config show --json | jq .uplink"))
def show(session: Session, file: File = None) -> None:
    """The configuration as the daemon reads it, defaults filled in. It holds no secrets, only the paths to them."""
    import msgspec

    session.show(msgspec.to_builtins(read_config(file or session.config_file)), _shown)


def _fine(answer: dict[str, Any], file: Path) -> RenderableType:
    from rich.markup import escape

    from holdfast.cli.show import GOOD, marked

    stations = ", ".join(answer["stations"]) or "none"
    return marked(f"{GOOD} {escape(str(file))} is in order: hub {answer['hub']}, stations: {stations}.")


def _shown(config: dict[str, Any]) -> RenderableType:
    from holdfast.cli.show import plain

    return plain("\n".join(f"{path} = {value}" for path, value in _leaves("", config)))


def _leaves(path: str, value: Any) -> Iterator[tuple[str, str]]:
    """Key paths as `config check` names them."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(f"{path}.{key}" if path else key, inner)
    elif isinstance(value, (list, tuple)) and value and isinstance(value[0], dict):
        for index, inner in enumerate(value):
            yield from _leaves(f"{path}[{index}]", inner)
    else:
        yield path, _toml(value)


def _toml(value: Any) -> str:
    match value:
        case None:
            return "(not set)"
        case bool():
            return str(value).lower()
        case str():
            return f'"{value}"'
        case list() | tuple():
            return "[" + ", ".join(map(_toml, value)) + "]"
        case _:
            return str(value)
