"""The record itself, from its file: prove it, read it, take it elsewhere. Works without the daemon."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast.cli.client import UsageError
from holdfast.cli.session import Session, command

if TYPE_CHECKING:
    import sqlite3

    from rich.console import RenderableType

app = typer.Typer(help="The record itself, from its file.", no_args_is_help=True)
Directory = Annotated[
    Path | None,
    typer.Option(
        "--directory", help="Where journal.db lies; the configuration says when left out.", show_default=False
    ),
]
FOLLOW_S = 0.5
"""How often `tail --follow` looks for more."""


@command(app, examples=("holdfast journal verify", "holdfast journal verify --projections --directory /mnt/card"))
def verify(
    session: Session,
    directory: Directory = None,
    projections: Annotated[bool, typer.Option("--projections", help="Replay them too, and compare.")] = False,
) -> None:
    """Prove every record: the chain, the signed checkpoints. Names the first seq that does not hold."""
    from holdfast.cli.record import bar, reading, spinner
    from holdfast.journal.export import count_records
    from holdfast.journal.rebuild import projections_hold
    from holdfast.journal.verify import read_genesis, verify_chain

    where = _where(session, directory)
    with reading(where) as db:
        genesis = read_genesis(db)
        with bar("Proving", count_records(db), quiet=session.json) as progress:
            verdict = verify_chain(db, progress=progress)
        answer: dict[str, Any] = {
            "ok": verdict.ok, "hub": genesis.hub, "inc": genesis.inc, "public_key": genesis.key.hex(),
            "checked": verdict.checked, "first_bad": verdict.first_bad, "why": verdict.why,
        }  # fmt: skip
        if verdict.ok and projections:
            with spinner("Replaying every projection", quiet=session.json):
                answer["ok"] = answer["projections"] = projections_hold(where)
    session.show(answer, _verdict)
    if not answer["ok"]:
        raise typer.Exit(1)


@command(app)
def rebuild(session: Session, directory: Directory = None) -> None:
    """Make every projection anew from the record. The daemon must be stopped."""
    from holdfast.cli.record import bar, explained, reading
    from holdfast.journal.export import count_records
    from holdfast.journal.rebuild import rebuild as run

    where = _where(session, directory)
    with reading(where) as db:
        total = count_records(db)
    with bar("Folding", total, quiet=session.json) as progress, explained():
        done = run(where, progress=progress)
    session.show({"records": done.records, "changed": done.changed}, _rebuilt)


@command(app, examples=("holdfast journal tail -n 5", "holdfast journal tail --follow --json"))
def tail(
    session: Session,
    directory: Directory = None,
    lines: Annotated[int, typer.Option("-n", "--lines", min=0, max=100_000, help="How many to begin with.")] = 20,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on as records come. Ends with Ctrl-C.")] = False,
) -> None:
    """The last records, in words; with --json one object a line."""
    from holdfast.cli.record import reading

    with reading(_where(session, directory)) as db:
        seq = max(0, db.execute("SELECT max(seq) FROM journal").fetchone()[0] - lines)
        while True:
            seq = _print_after(session, db, seq)
            if not follow:
                return
            time.sleep(FOLLOW_S)


@command(app, examples=("holdfast journal export /media/usb/ber-2026-03",))
def export(
    session: Session,
    target: Annotated[Path, typer.Argument(help="A folder that is not there yet.", show_default=False)],
    directory: Directory = None,
) -> None:
    """Write the whole record as JSON Lines with a signed manifest, for auditors and for moving house."""
    from holdfast.cli.record import bar, explained, reading
    from holdfast.journal.export import count_records
    from holdfast.journal.export import export as run

    where = _where(session, directory)
    with reading(where) as db:
        total = count_records(db)
    with bar("Exporting", total, quiet=session.json) as progress, explained():
        manifest = run(where, target, progress=progress)
    session.show(_manifest(manifest) | {"folder": str(target)}, _exported)


@command(app, "verify-export", examples=("holdfast journal verify-export ./ber-2026-03 --key 9f2c…",))
def verify_export(
    session: Session,
    folder: Annotated[Path, typer.Argument(show_default=False)],
    key: Annotated[str | None, typer.Option(help="The hub's public key, hexadecimal.", show_default=False)] = None,
) -> None:
    """Prove an export on any machine, with the hub's public key alone."""
    from holdfast.cli.record import bar, explained
    from holdfast.journal.export import verify_export as run

    try:
        public = bytes.fromhex(key) if key else None
    except ValueError as error:
        raise UsageError("A public key is 64 hexadecimal digits.") from error
    with bar("Proving", None, quiet=session.json) as progress, explained():
        manifest = run(folder, key=public, progress=progress)
    session.show(_manifest(manifest) | {"folder": str(folder), "key_given": key is not None}, _exported)


@command(app, "salvage-info")
def salvage_info(session: Session, directory: Directory = None) -> None:
    """Damaged journals that were moved aside, and how far each of them can still be proved."""
    from holdfast.cli.record import damaged

    where = _where(session, directory)
    found = [damaged(path) for path in sorted(where.glob("journal-damaged-*.db"))]
    session.show({"directory": str(where), "damaged": found}, _salvage)


def _where(session: Session, directory: Path | None) -> Path:
    return directory or Path(session.config.storage.directory)


def _print_after(session: Session, db: sqlite3.Connection, seq: int) -> int:
    """Print what is beyond `seq`; returns the last seq printed."""
    import json

    from holdfast.journal.export import readable
    from holdfast_contract.record import decode_record

    for found, record in db.execute("SELECT seq, record FROM journal WHERE seq > ? ORDER BY seq", (seq,)):
        told = readable(decode_record(record))
        sys.stdout.write((json.dumps(told, ensure_ascii=False) if session.json else _record_line(told)) + "\n")
        seq = found
    sys.stdout.flush()
    return seq


def _record_line(told: dict[str, Any]) -> str:
    from holdfast.cli.show import local_time

    body = " ".join(f"{key}={_short(value)}" for key, value in told["body"].items() if value not in ("", [], 0, False))
    when = local_time(told["at"] / 1000) + ("" if told["clock"] == "synced" else "?")
    return f"{told['seq']:>8}  {when:20}  {told['type']:24} {told['subject']:10} {told['actor']}  {body}".rstrip()


def _short(value: Any) -> str:
    """Lists and maps by their length; --json shows them whole."""
    return f"[{len(value)}]" if isinstance(value, (list, dict)) else str(value)


def _manifest(manifest: Any) -> dict[str, Any]:
    import msgspec

    return dict(msgspec.to_builtins(manifest))


def _verdict(answer: dict[str, Any]) -> RenderableType:
    from rich.markup import escape

    from holdfast.cli.show import BAD, GOOD, facts

    chain = f"{GOOD} {answer['checked']} records hold" if answer["first_bad"] is None else (
        f"{BAD} [bold]the first that does not hold is seq {answer['first_bad']}[/]: {escape(answer['why'])}"
    )  # fmt: skip
    told = [
        ("hub", f"{answer['hub']}, incarnation {answer['inc']}"),
        ("public key", answer["public_key"]),
        ("chain", chain),
    ]
    if "projections" in answer:
        agree = f"{GOOD} equal a replay" if answer["projections"] else f"{BAD} differ; run: holdfast journal rebuild"
        told.append(("projections", agree))
    if answer["first_bad"] is not None:
        told.append(("what to do", "Stop the daemon, keep a copy of the file, start it again: it salvages what holds."))
    return facts(told)


def _rebuilt(answer: dict[str, Any]) -> RenderableType:
    from holdfast.cli.show import plain

    found = "They were not what the record says." if answer["changed"] else "They were right before."
    return plain(f"Every projection was made anew from {answer['records']} records. {found}")


def _exported(answer: dict[str, Any]) -> RenderableType:
    from rich.markup import escape

    from holdfast.cli.show import GOOD, facts

    chains = ", ".join(f"incarnation {one['inc']} to seq {one['last']}" for one in answer["chains"])
    told = [
        ("folder", escape(answer["folder"])), ("hub", answer["hub"]), ("records", f"{answer['records']}: {chains}"),
        ("SHA-256", answer["sha256"]), ("public key", answer["public_key"]),
    ]  # fmt: skip
    if "key_given" in answer:
        given = "with the key given" if answer["key_given"] else "with the key it names: compare it with the hub's own"
        told.append(("proof", f"{GOOD} holds {given}"))
    return facts(told)


def _salvage(answer: dict[str, Any]) -> RenderableType:
    from rich.markup import escape

    from holdfast.cli.show import size, table

    rows = (
        (
            one["file"],
            size(one["bytes"]),
            f"{one['proved']} records" if one["readable"] else "nothing",
            escape(one["why"]) or "every record holds",
        )
        for one in answer["damaged"]
    )
    title = f"Moved aside in {escape(answer['directory'])}"
    return table(title, ("file", "size", "proved", "why"), rows, empty="nothing; this journal was never damaged")
