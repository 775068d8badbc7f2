"""What every command of the CLI shares: finding the daemon, `--json`, showing answers, errors that say what to do."""

from __future__ import annotations

import functools
import inspect
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast.cli.client import Client, HubError, RefusedError, UsageError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from holdfast.config import Config

DEFAULT_CONFIG = Path("/etc/holdfast/holdfast.toml")

Run = Callable[..., None]

_COMMON = (
    ("json_", bool, False, typer.Option("--json", help="Print the answer as JSON, for scripts.")),
    (
        "socket",
        Path | None,
        None,
        typer.Option("--socket", envvar="HOLDFAST_SOCKET", help="The daemon's Unix socket.", show_default=False),
    ),
    (
        "config",
        Path | None,
        None,
        typer.Option("--config", envvar="HOLDFAST_CONFIG", help="The hub's configuration file.", show_default=False),
    ),
)


class Session:
    """One run of a command: the daemon it speaks to and how it answers."""

    def __init__(self, *, json_: bool = False, socket: Path | None = None, config: Path | None = None) -> None:
        self.json = json_
        self._socket = socket
        self._config = config

    @functools.cached_property
    def client(self) -> Client:
        return Client(self._socket or Path(self.config.api.socket))

    @functools.cached_property
    def config(self) -> Config:
        """The configuration named, else the installed one, else the defaults. Raises UsageError."""
        from holdfast.config import Config, Hub

        if self._config is None and not DEFAULT_CONFIG.exists():
            return Config(hub=Hub(id="", code="", name=""))
        return read_config(self.config_file)

    @property
    def config_file(self) -> Path:
        """The configuration named, else where it is installed."""
        return self._config or DEFAULT_CONFIG

    def show(self, answer: Any, render: Callable[[Any], RenderableType]) -> None:
        """The answer as JSON, or as `render` draws it."""
        if self.json:
            sys.stdout.write(json.dumps(answer, indent=2, ensure_ascii=False) + "\n")
            return
        from rich.console import Console

        Console(highlight=False).print(render(answer))


def read_config(path: Path) -> Config:
    """Raises UsageError with every problem found."""
    from holdfast.config import ConfigError, load

    try:
        return load(path)
    except ConfigError as error:
        raise UsageError(
            f"{path} cannot be used:", "\n".join(f"{key}: {what}" for key, what in error.problems)
        ) from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", "Name the file with --config FILE.") from error


def command(
    app: typer.Typer, name: str | None = None, *, examples: Sequence[str] = (), panel: str | None = None
) -> Callable[[Run], Run]:
    """Register `function(session, …)`, with --json, --socket and --config beside its own parameters."""

    def register(function: Run) -> Run:
        app.command(name, help=_help(function, examples), rich_help_panel=panel)(_with_session(function))
        return function

    return register


def landing(app: typer.Typer, *, examples: Sequence[str] = ()) -> Callable[[Run], Run]:
    """Register what a group of commands does when none of them is named."""

    def register(function: Run) -> Run:
        app.callback(invoke_without_command=True, help=_help(function, examples))(_with_session(function))
        return function

    return register


@contextmanager
def friendly(*, as_json: bool = False) -> Iterator[None]:
    """Errors meant for people end the program with their words and exit status, without a traceback."""
    try:
        yield
    except HubError as error:
        if as_json:
            told = error.answer if isinstance(error, RefusedError) else {"ok": False, "words": str(error)}
            sys.stdout.write(json.dumps(told, indent=2, ensure_ascii=False) + "\n")
        else:
            _complain(str(error), error.remedy.splitlines())
        raise typer.Exit(error.code) from error


def _complain(message: str, more: Iterable[str]) -> None:
    typer.secho(message, fg=typer.colors.RED, err=True)
    for line in more:
        typer.echo(f"  {line}", err=True)


def _with_session(function: Run) -> Run:
    """`function` without its session and with the common options, in a signature typer can read."""
    own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
    common = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, option])
        for name, kind, default, option in _COMMON
    ]
    context = inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)

    @functools.wraps(function)
    def run(ctx: typer.Context, *, json_: bool, socket: Path | None, config: Path | None, **given: Any) -> None:
        if ctx.invoked_subcommand is None:
            with friendly(as_json=json_):
                function(Session(json_=json_, socket=socket, config=config), **given)

    parameters = [context, *own, *common]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what inspect reads first
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _help(function: Run, examples: Sequence[str]) -> str:
    text = inspect.getdoc(function) or ""
    if not examples:
        return text
    return f"{text}\n\n\b\nExamples:\n" + "\n".join(f"  {example}" for example in examples)
