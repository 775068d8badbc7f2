"""Events about the hub itself: the technical part of the record."""

from __future__ import annotations

from msgspec import field

from holdfast_contract.body import Body


class HubCreated(Body, frozen=True):
    """First record of an incarnation. `prior_*` name the head it continues from after a rebuild."""

    genesis: bytes = field(name="g")
    """Encoded Genesis."""
    prior_inc: int = field(default=0, name="i")
    prior_seq: int = field(default=0, name="s")
    prior_hash: bytes = field(default=b"", name="h")
    why: str = field(default="", name="w")


class HubStarted(Body, frozen=True):
    version: str = field(name="v")
    kernel_boot: str = field(name="k")
    """The kernel's boot id."""
    orderly: bool = field(default=True, name="o")
    """Did the last run stop in order."""
    speed: int = field(default=1, name="x")
    """Factor on the counter's clock; more than 1 only in a demo configuration."""


class HubStopped(Body, frozen=True):
    why: str = field(name="w")


class LinkChanged(Body, frozen=True):
    """Connection to headquarters, as the hub sees it."""

    state: str = field(name="s")
    """`online`, `degraded`, `offline`, `catching_up`."""


class SecurityNoted(Body, frozen=True):
    """Something a security reviewer counts. Never holds the offending data."""

    kind: str = field(name="k")
    """`card_data_masked`, `badge_refused`."""
    where: str = field(default="", name="w")


class BadgeIssued(Body, frozen=True):
    """A person may act at this hub. The subject is the badge id."""

    name: str = field(name="n")
    role: str = field(name="r")


class BadgeRevoked(Body, frozen=True):
    why: str = field(default="", name="w")


class SignedIn(Body, frozen=True):
    """The actor of a station changed. The subject is the station; an empty badge signs out."""

    badge: str = field(default="", name="b")


class TrainingSet(Body, frozen=True):
    """Training went on or off at a station, the subject: what it sells from here on is of series T."""

    on: bool = field(name="o")
