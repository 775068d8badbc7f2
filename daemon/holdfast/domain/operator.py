"""People: badges, roles, and who acts at a station."""

from __future__ import annotations

from holdfast.domain.core import Command


class IssueBadge(Command, frozen=True, tag="operator.issue_badge", kw_only=True):
    """Let a person act here as `cashier`, `supervisor` or `technician`. Nobody issues a role above their own."""

    badge: str
    name: str
    role: str


class RevokeBadge(Command, frozen=True, tag="operator.revoke_badge", kw_only=True):
    """A lost badge: signs it out everywhere; its id never comes back."""

    badge: str
    why: str = ""


class SignIn(Command, frozen=True, tag="operator.sign_in", kw_only=True):
    station: str
    badge: str


class SignOut(Command, frozen=True, tag="operator.sign_out", kw_only=True):
    station: str
