"""People: badges, roles, who acts at a station, and whether the station is in training."""

from __future__ import annotations

from enum import IntEnum

from holdfast.domain import limits
from holdfast.domain.core import Area, Command, Event, Outcome, Refused, Tables, UnitOfWork, Urgency
from holdfast_contract.hub import BadgeIssued, BadgeRevoked, SignedIn, TrainingSet

TABLES = """
CREATE TABLE IF NOT EXISTS badge (
    badge TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, revoked INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS station (
    station TEXT PRIMARY KEY, badge TEXT NOT NULL, training INTEGER NOT NULL) WITHOUT ROWID;
"""

TECHNICIAN_ACTOR = "technician:"
"""Prefix of actors that came in over the hub's own Unix socket."""


class Role(IntEnum):
    """Each may do what those below may."""

    CASHIER = 1
    SUPERVISOR = 2
    TECHNICIAN = 3


ROLES = {role.name.lower(): role for role in Role}
"""Roles as commands and events spell them."""


class IssueBadge(Command, frozen=True, tag="operator.issue_badge", kw_only=True):
    """Let a person act here as `cashier`, `supervisor` or `technician`. Nobody issues a role above their own."""

    badge: str
    name: str
    role: str


class RevokeBadge(Command, frozen=True, tag="operator.revoke_badge", kw_only=True):
    """A lost badge: signs it out everywhere; its id never comes back. Role: supervisor, and not below the badge's."""

    urgency = Urgency.ALWAYS
    badge: str
    why: str = ""


class SignIn(Command, frozen=True, tag="operator.sign_in", kw_only=True):
    urgency = Urgency.ALWAYS
    station: str
    badge: str


class SignOut(Command, frozen=True, tag="operator.sign_out", kw_only=True):
    urgency = Urgency.ALWAYS
    station: str


def role_of(uow: UnitOfWork) -> Role | None:
    """The actor's role; None for an actor without a valid badge."""
    if uow.actor.startswith(TECHNICIAN_ACTOR):
        return Role.TECHNICIAN
    row = uow.one("SELECT role FROM badge WHERE badge = ? AND NOT revoked", uow.actor)
    return None if row is None else ROLES[row[0]]


def require(uow: UnitOfWork, role: Role) -> None:
    """Raises Refused(`badge_needed`) without a badge, Refused(`not_permitted`) below `role`."""
    held = role_of(uow)
    if held is None:
        raise Refused("badge_needed", role=role.name.lower())
    if held < role:
        raise Refused("not_permitted", role=role.name.lower())


def in_training(uow: UnitOfWork, station: str) -> bool:
    row = uow.one("SELECT training FROM station WHERE station = ?", station)
    return row is not None and bool(row[0])


def refuse_training(uow: UnitOfWork, station: str) -> None:
    """Raises Refused(`training_on`) when the station is in training: what follows would touch stock or money."""
    if in_training(uow, station):
        raise Refused("training_on")


def issue_badge(uow: UnitOfWork, command: IssueBadge) -> Outcome:
    role = ROLES.get(command.role)
    if role is None:
        raise Refused("invalid", detail=f"a role is one of {', '.join(ROLES)}")
    require(uow, max(role, Role.SUPERVISOR))
    badge = limits.name(command.badge)
    known = uow.one("SELECT role, revoked FROM badge WHERE badge = ?", badge)
    if known is not None and known[1]:
        raise Refused("invalid", detail="this badge was revoked; issue another")
    if known is not None:
        require(uow, ROLES[known[0]])
    uow.emit(badge, BadgeIssued(name=limits.name(command.name), role=command.role))
    return Outcome()


def revoke_badge(uow: UnitOfWork, command: RevokeBadge) -> Outcome:
    known = uow.one("SELECT role, revoked FROM badge WHERE badge = ?", command.badge)
    require(uow, Role.SUPERVISOR if known is None else max(ROLES[known[0]], Role.SUPERVISOR))
    if known is None:
        raise Refused("badge_unknown")
    if not known[1]:
        uow.emit(command.badge, BadgeRevoked(why=limits.text(command.why)))
    return Outcome()


def sign_in(uow: UnitOfWork, command: SignIn) -> Outcome:
    badge = uow.one("SELECT name, role FROM badge WHERE badge = ? AND NOT revoked", command.badge)
    if badge is None:
        raise Refused("badge_unknown")
    _set_badge(uow, limits.name(command.station), command.badge)
    return Outcome(data={"name": badge[0], "role": badge[1]})


def sign_out(uow: UnitOfWork, command: SignOut) -> Outcome:
    _set_badge(uow, limits.name(command.station), "")
    return Outcome()


def _set_badge(uow: UnitOfWork, station: str, badge: str) -> None:
    row = uow.one("SELECT badge FROM station WHERE station = ?", station)
    if badge != (row[0] if row else ""):
        uow.emit(station, SignedIn(badge=badge))


def _issued(tables: Tables, event: Event, body: BadgeIssued) -> None:
    tables.run("INSERT OR REPLACE INTO badge VALUES (?, ?, ?, 0)", event.subject, body.name, body.role)


def _revoked(tables: Tables, event: Event, _: BadgeRevoked) -> None:
    tables.run("UPDATE badge SET revoked = 1 WHERE badge = ?", event.subject)
    tables.run("UPDATE station SET badge = '' WHERE badge = ?", event.subject)


def _signed_in(tables: Tables, event: Event, body: SignedIn) -> None:
    tables.run(
        "INSERT INTO station VALUES (?, ?, 0) ON CONFLICT DO UPDATE SET badge = excluded.badge",
        event.subject, body.badge,
    )  # fmt: skip


def _training(tables: Tables, event: Event, body: TrainingSet) -> None:
    tables.run(
        "INSERT INTO station VALUES (?, '', ?) ON CONFLICT DO UPDATE SET training = excluded.training",
        event.subject, int(body.on),
    )  # fmt: skip


AREA = Area(
    name="operator",
    tables=TABLES,
    handlers={IssueBadge: issue_badge, RevokeBadge: revoke_badge, SignIn: sign_in, SignOut: sign_out},
    projections={BadgeIssued: _issued, BadgeRevoked: _revoked, SignedIn: _signed_in, TrainingSet: _training},
)
