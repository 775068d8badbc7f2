"""Paper that was asked for again, and paper nobody can vouch for."""

from __future__ import annotations

from holdfast.domain import jobs, limits, numbers
from holdfast.domain.core import Area, Command, Event, Outcome, Refused, Tables, UnitOfWork, Urgency
from holdfast_contract.hub import HubCreated
from holdfast_contract.shift import PaperOutcomeUnknown, Reprinted

TABLES = """
CREATE TABLE IF NOT EXISTS copy (ref INTEGER PRIMARY KEY, copies INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS unknown_paper (
    job INTEGER PRIMARY KEY, kind TEXT NOT NULL, ref INTEGER NOT NULL, why TEXT NOT NULL, at INTEGER NOT NULL);
"""
"""`ref` is the seq of the document. A copy of a document settles what is unknown about its paper."""


class Reprint(Command, frozen=True, tag="paper.reprint", kw_only=True):
    """A copy of the document with this printed number, dashes or not; empty is the receipt made last."""

    urgency = Urgency.ALWAYS
    number: str = ""


class NoteUnknownPaper(Command, frozen=True, tag="paper.note_unknown", kw_only=True):
    """Print job `job` of `kind` about event `ref` may or may not be on paper. Once noted, it is noted."""

    urgency = Urgency.ALWAYS
    job: int
    kind: str
    ref: int
    why: str = ""


def reprint(uow: UnitOfWork, command: Reprint) -> Outcome:
    series, number, seq = _document(uow, command.number) if command.number else _last_receipt(uow)
    row = uow.one("SELECT copies FROM copy WHERE ref = ?", seq)
    copy = 1 + (row[0] if row else 0)
    printed = numbers.printed(uow.policy.code, uow.inc, series, number)
    uow.emit(printed, Reprinted(ref=seq, copy=copy))
    return Outcome(data={"number": printed, "copy": copy, "job": uow.enqueue(jobs.COPY, seq, copy=copy)})


def note_unknown_paper(uow: UnitOfWork, command: NoteUnknownPaper) -> Outcome:
    if uow.one("SELECT 1 FROM unknown_paper WHERE job = ?", command.job) is None:
        uow.emit(
            str(command.job),
            PaperOutcomeUnknown(kind=limits.name(command.kind), ref=command.ref, why=limits.text(command.why)),
        )
    return Outcome(data={"job": command.job})


def _document(uow: UnitOfWork, text: str) -> tuple[str, int, int]:
    parsed = numbers.parse(text, uow.policy.code, uow.inc)
    row = parsed and uow.one("SELECT seq FROM document WHERE series = ? AND number = ?", *parsed)
    if not parsed or not row:
        raise Refused("document_unknown")
    return (*parsed, row[0])


def _last_receipt(uow: UnitOfWork) -> tuple[str, int, int]:
    found = [
        row
        for series in (numbers.RECEIPTS, numbers.TRAINING)
        for row in uow.all(
            "SELECT series, number, seq FROM document WHERE series = ? ORDER BY number DESC LIMIT 1", series
        )
    ]
    if not found:
        raise Refused("document_unknown")
    series, number, seq = max(found, key=lambda row: row[2])
    return series, number, seq


def _reprinted(tables: Tables, _: Event, body: Reprinted) -> None:
    tables.run("INSERT OR REPLACE INTO copy VALUES (?, ?)", body.ref, body.copy)
    tables.run("DELETE FROM unknown_paper WHERE ref = ?", body.ref)


def _unknown(tables: Tables, event: Event, body: PaperOutcomeUnknown) -> None:
    tables.run(
        "INSERT INTO unknown_paper VALUES (?, ?, ?, ?, ?)",
        int(event.subject), body.kind, body.ref, body.why, event.at,
    )  # fmt: skip


def _begin_incarnation(tables: Tables, _: Event, __: HubCreated) -> None:
    """Seqs and jobs begin again."""
    tables.run("DELETE FROM copy")
    tables.run("DELETE FROM unknown_paper")


AREA = Area(
    name="paper",
    tables=TABLES,
    handlers={Reprint: reprint, NoteUnknownPaper: note_unknown_paper},
    projections={HubCreated: _begin_incarnation, Reprinted: _reprinted, PaperOutcomeUnknown: _unknown},
)
