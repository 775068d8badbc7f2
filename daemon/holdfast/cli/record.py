"""The journal's file as the CLI opens it: for reading, with errors in words and progress to look at."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import Progress

from holdfast.cli.client import HubError, UsageError
from holdfast.journal.export import ExportError
from holdfast.journal.schema import connect_read
from holdfast.journal.store import FILE, InUseError
from holdfast.journal.verify import read_genesis, verify_chain

STEP = 256
"""Records between two movements of a progress bar."""


class BrokenError(HubError):
    """The record does not hold."""


@contextmanager
def reading(directory: Path) -> Iterator[sqlite3.Connection]:
    """The journal in `directory`, for reading."""
    path = directory / FILE
    with explained():
        if not path.exists():
            raise FileNotFoundError(path)
        with closing(connect_read(path.resolve())) as db:
            yield db


@contextmanager
def explained() -> Iterator[None]:
    """What can go wrong with a file, in words."""
    try:
        yield
    except InUseError as error:
        raise UsageError(str(error), "Stop it first: systemctl stop holdfast.") from error
    except PermissionError as error:
        raise UsageError(f"{error.filename} may not be read.", "Use sudo.") from error
    except FileExistsError as error:
        raise UsageError(f"{error.filename} is there already.", "Name a folder that is not there yet.") from error
    except FileNotFoundError as error:
        raise UsageError(f"{error.filename or error} is not there.", "Name another with --directory DIR.") from error
    except LookupError as error:
        raise UsageError(str(error)) from error
    except ExportError as error:
        raise BrokenError(f"Not proved: {error}.") from error
    except (sqlite3.DatabaseError, msgspec.MsgspecError) as error:
        raise BrokenError(f"The file cannot be read: {error}.", "See: holdfast journal salvage-info.") from error


@contextmanager
def spinner(words: str, *, quiet: bool) -> Iterator[None]:
    """Something moves on stderr while it takes."""
    with Console(stderr=True, quiet=quiet).status(words):
        yield


@contextmanager
def bar(words: str, total: int | None, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """A progress bar on stderr; what it yields takes the count so far."""
    with Progress(console=Console(stderr=True, quiet=quiet), transient=True) as shown:
        task = shown.add_task(words, total=total)
        yield lambda count: None if count % STEP else shown.update(task, completed=count)


def damaged(path: Path) -> dict[str, Any]:
    """How far a file that was moved aside holds."""
    told: dict[str, Any] = {"file": path.name, "bytes": path.stat().st_size}
    try:
        with closing(connect_read(path.resolve())) as db:
            genesis = read_genesis(db)
            verdict = verify_chain(db)
    except (sqlite3.DatabaseError, msgspec.MsgspecError, LookupError) as error:
        return told | {"readable": False, "why": str(error)}
    return told | {
        "readable": True, "hub": genesis.hub, "inc": genesis.inc, "proved": verdict.checked,
        "first_bad": verdict.first_bad, "why": verdict.why,
    }  # fmt: skip
