"""The hub's own technical log: starts, stops, the link to headquarters, what a security reviewer counts."""

from __future__ import annotations

from holdfast.domain import limits
from holdfast.domain.core import Area, Command, Event, Outcome, Refused, Tables, UnitOfWork, Urgency
from holdfast_contract.hub import HubStarted, HubStopped, LinkChanged, SecurityNoted

LINK_STATES = ("online", "degraded", "offline", "catching_up")

TABLES = """
CREATE TABLE IF NOT EXISTS run (
    one INTEGER PRIMARY KEY, version TEXT NOT NULL, started INTEGER NOT NULL, stopped INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS link (one INTEGER PRIMARY KEY, state TEXT NOT NULL, at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS security (kind TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
"""


class NoteStarted(Command, frozen=True, tag="hub.note_started", kw_only=True):
    """The daemon is up. Whether the last run stopped in order is read from the journal itself."""

    urgency = Urgency.ALWAYS
    version: str
    kernel_boot: str
    speed: int = 1


class NoteStopped(Command, frozen=True, tag="hub.note_stopped", kw_only=True):
    """The daemon stops in order."""

    urgency = Urgency.ALWAYS
    why: str


class NoteLink(Command, frozen=True, tag="hub.note_link", kw_only=True):
    """The link to headquarters is `online`, `degraded`, `offline` or `catching_up`; no event when it already was."""

    state: str


class NoteSecurity(Command, frozen=True, tag="hub.note_security", kw_only=True):
    """`card_data_masked`, `badge_refused`, … happened at `where`. Never carries the offending data."""

    kind: str
    where: str = ""


def note_started(uow: UnitOfWork, command: NoteStarted) -> Outcome:
    last = uow.one("SELECT stopped FROM run")
    orderly = last is None or bool(last[0])
    uow.emit(
        uow.policy.hub,
        HubStarted(version=command.version, kernel_boot=command.kernel_boot, orderly=orderly, speed=command.speed),
    )
    return Outcome(data={"orderly": orderly})


def note_stopped(uow: UnitOfWork, command: NoteStopped) -> Outcome:
    uow.emit(uow.policy.hub, HubStopped(why=limits.text(command.why)))
    return Outcome()


def note_link(uow: UnitOfWork, command: NoteLink) -> Outcome:
    if command.state not in LINK_STATES:
        raise Refused("invalid", detail=f"a link is one of {', '.join(LINK_STATES)}")
    if uow.one("SELECT state FROM link") != (command.state,):
        uow.emit(uow.policy.hub, LinkChanged(state=command.state))
    return Outcome()


def note_security(uow: UnitOfWork, command: NoteSecurity) -> Outcome:
    uow.emit(uow.policy.hub, SecurityNoted(kind=limits.name(command.kind), where=limits.text(command.where)))
    return Outcome()


def _started(tables: Tables, event: Event, body: HubStarted) -> None:
    tables.run("INSERT OR REPLACE INTO run VALUES (1, ?, ?, 0)", body.version, event.at)


def _stopped(tables: Tables, _: Event, __: HubStopped) -> None:
    tables.run("UPDATE run SET stopped = 1")


def _link(tables: Tables, event: Event, body: LinkChanged) -> None:
    tables.run("INSERT OR REPLACE INTO link VALUES (1, ?, ?)", body.state, event.at)


def _security(tables: Tables, _: Event, body: SecurityNoted) -> None:
    tables.run("INSERT INTO security VALUES (?, 1) ON CONFLICT DO UPDATE SET count = count + 1", body.kind)


AREA = Area(
    name="hub",
    tables=TABLES,
    handlers={
        NoteStarted: note_started,
        NoteStopped: note_stopped,
        NoteLink: note_link,
        NoteSecurity: note_security,
    },
    projections={HubStarted: _started, HubStopped: _stopped, LinkChanged: _link, SecurityNoted: _security},
)
