"""Badges and stations, the hub's own log, and paper nobody can vouch for."""

from __future__ import annotations

import pytest

from domain.kit import CASHIER, STATIONS, SUPERVISOR, TECHNICIAN, Hub, shop
from holdfast.domain.cart import AddItem, SetTraining
from holdfast.domain.core import Command
from holdfast.domain.hub import NoteLink, NoteSecurity, NoteStarted, NoteStopped
from holdfast.domain.operator import IssueBadge, RevokeBadge, SignIn, SignOut
from holdfast.domain.paper import NoteUnknownPaper, Reprint
from holdfast.domain.sale import PayCash
from holdfast.domain.shift import CloseShift, MoveDrawer
from holdfast_contract.hub import BadgeIssued, HubCreated, HubStarted, LinkChanged, SignedIn
from holdfast_contract.shift import PaperOutcomeUnknown, Reprinted

ONE, TWO = STATIONS


@pytest.fixture
def hub() -> Hub:
    return shop()


def issue(badge: str, role: str, name: str = "Dora") -> IssueBadge:
    return IssueBadge(badge=badge, name=name, role=role)


@pytest.mark.parametrize(
    ("actor", "role", "reason"),
    [
        (CASHIER, "cashier", "not_permitted"),
        ("nobody", "cashier", "badge_needed"),
        ("technician", "cashier", "badge_needed"),
        (SUPERVISOR, "technician", "not_permitted"),
        (SUPERVISOR, "boss", "invalid"),
    ],
)
def test_nobody_issues_a_role_above_their_own(hub: Hub, actor: str, role: str, reason: str) -> None:
    assert hub.refused(issue("dora", role), actor) == reason


def test_a_badge_can_be_raised_but_not_over_ones_head(hub: Hub) -> None:
    hub.ok(issue("dora", "cashier"), SUPERVISOR)
    hub.ok(issue("dora", "supervisor"), SUPERVISOR)
    hub.ok(issue("root", "technician"), TECHNICIAN)
    assert hub.refused(issue("root", "cashier"), SUPERVISOR) == "not_permitted"
    assert hub.refused(RevokeBadge(badge="root"), SUPERVISOR) == "not_permitted"
    hub.ok(issue("root", "cashier"), "root")


@pytest.mark.parametrize("field", ["badge", "name"])
@pytest.mark.parametrize("value", ["", "  ", "x" * 65, "\x00"])
def test_badges_and_names_are_words(hub: Hub, field: str, value: str) -> None:
    command = IssueBadge(**{"badge": "dora", "name": "Dora", "role": "cashier", field: value})
    assert hub.refused(command, SUPERVISOR) == "invalid"


def test_a_lost_badge_is_out_everywhere_and_never_back(hub: Hub) -> None:
    hub.ok(SignIn(station=ONE, badge=SUPERVISOR))
    hub.ok(SignIn(station=TWO, badge=SUPERVISOR))
    hub.ok(RevokeBadge(badge=SUPERVISOR, why="lost"), TECHNICIAN)
    seq = hub.unit.seq
    hub.ok(RevokeBadge(badge=SUPERVISOR), TECHNICIAN)
    assert hub.unit.seq == seq
    assert hub.rows("SELECT DISTINCT badge FROM station") == [("",)]
    assert hub.refused(SignIn(station=ONE, badge=SUPERVISOR)) == "badge_unknown"
    assert hub.refused(MoveDrawer(station=ONE, kind="no_sale"), SUPERVISOR) == "badge_needed"
    assert hub.refused(issue(SUPERVISOR, "supervisor"), TECHNICIAN) == "invalid"
    assert hub.refused(RevokeBadge(badge="ghost"), TECHNICIAN) == "badge_unknown"


def test_signing_in_and_out_is_noted_once(hub: Hub) -> None:
    for _ in range(2):
        assert hub.ok(SignIn(station=ONE, badge=CASHIER)) == {"name": "Anna", "role": "cashier"}
    for _ in range(2):
        hub.ok(SignOut(station=ONE))
    hub.ok(SignOut(station="till-9"))
    assert [fact.body.badge for fact in hub.facts(SignedIn)] == [CASHIER, ""]


def test_signing_in_keeps_the_training(hub: Hub) -> None:
    hub.ok(SetTraining(station=ONE, on=True))
    hub.ok(SignIn(station=ONE, badge=CASHIER))
    hub.ok(SetTraining(station=ONE, on=True))
    assert hub.rows("SELECT badge, training FROM station WHERE station = ?", ONE) == [(CASHIER, 1)]


def test_the_actor_of_every_fact_is_who_asked(hub: Hub) -> None:
    assert {fact.actor for fact in hub.facts(BadgeIssued)} == {TECHNICIAN}


def test_a_start_knows_whether_the_last_run_stopped_in_order() -> None:
    hub = Hub()
    start = NoteStarted(version="1", kernel_boot="b")
    assert hub.ok(start, "main") == {"orderly": True}
    assert hub.ok(start, "main") == {"orderly": False}
    hub.ok(NoteStopped(why="SIGTERM"), "main")
    assert hub.ok(start, "main") == {"orderly": True}
    assert [fact.body.orderly for fact in hub.facts(HubStarted)] == [True, False, True]


def test_the_link_is_noted_when_it_changes(hub: Hub) -> None:
    for state in ("online", "online", "offline"):
        hub.ok(NoteLink(state=state), "uplink")
    assert [fact.body.state for fact in hub.facts(LinkChanged)] == ["online", "offline"]
    assert hub.refused(NoteLink(state="fine"), "uplink") == "invalid"


def test_what_a_security_reviewer_counts(hub: Hub) -> None:
    for kind in ("badge_refused", "card_data_masked", "badge_refused"):
        hub.ok(NoteSecurity(kind=kind, where=ONE), "counter")
    assert hub.rows("SELECT kind, count FROM security ORDER BY kind") == [("badge_refused", 2), ("card_data_masked", 1)]


def sell(hub: Hub, station: str = ONE) -> str:
    hub.ok(AddItem(station=station, code="mug"))
    return str(hub.ok(PayCash(station=station))["number"])


def test_copies_are_counted_for_each_document(hub: Hub) -> None:
    first, second = sell(hub), sell(hub)
    assert hub.ok(Reprint(number=first))["copy"] == 1
    told = hub.ok(Reprint(number=first.replace("-", "").lower()))
    assert (told["number"], told["copy"]) == (first, 2)
    assert hub.ok(Reprint())["number"] == second
    hub.ok(CloseShift(station=ONE, counted=hub.cash()))
    assert hub.ok(Reprint(number="BER-1-Z000001"))["copy"] == 1
    assert hub.ok(Reprint())["copy"] == 2
    copies = [(fact.body.ref, fact.body.copy) for fact in hub.facts(Reprinted)]
    assert [copy for _, copy in copies] == [1, 2, 1, 1, 2]
    jobs = hub.rows("SELECT ref FROM spool WHERE kind = 'copy' ORDER BY job")
    assert [ref for (ref,) in jobs] == [ref for ref, _ in copies]


def test_the_last_receipt_may_be_a_training_one(hub: Hub) -> None:
    sell(hub)
    hub.ok(SetTraining(station=TWO, on=True))
    trained = sell(hub, TWO)
    assert hub.ok(Reprint())["number"] == trained == "BER-1-T000001"


@pytest.mark.parametrize("number", ["", "BER-1-R000002", "BER-1-Z000001", "XYZ-1-R000001", "BER-1-R1", "' OR 1=1"])
def test_a_document_that_is_not_there(number: str) -> None:
    hub = shop()
    if number:
        sell(hub)
    assert hub.refused(Reprint(number=number)) == "document_unknown"


def test_unknown_paper_is_noted_once_and_settled_by_a_copy(hub: Hub) -> None:
    sell(hub)
    ref = hub.unit.seq
    for _ in range(2):
        hub.ok(NoteUnknownPaper(job=2, kind="receipt", ref=ref, why="unplugged"), "spool")
    assert [(fact.subject, fact.body.why) for fact in hub.facts(PaperOutcomeUnknown)] == [("2", "unplugged")]
    assert hub.rows("SELECT job, kind, ref, why FROM unknown_paper") == [(2, "receipt", ref, "unplugged")]
    hub.ok(Reprint())
    assert hub.rows("SELECT * FROM unknown_paper") == []


def test_a_new_incarnation_knows_no_old_paper(hub: Hub) -> None:
    number = sell(hub)
    hub.ok(Reprint())
    hub.emit("hub-1", HubCreated(genesis=b"", prior_inc=1))
    assert hub.refused(Reprint(number=number)) == "document_unknown"
    assert hub.rows("SELECT * FROM copy") == []
    assert hub.projector.digest(hub.db) == hub.rebuilt_digest()


def test_every_command_has_one_handler_and_one_tag() -> None:
    hub = Hub()
    commands = _subclasses(Command)
    assert {command for command in commands if command.__module__.startswith("holdfast.domain.")} <= set(hub.handlers)
    tags = [command.__struct_config__.tag for command in hub.handlers]
    assert len(set(tags)) == len(tags)


def _subclasses(kind: type[Command]) -> set[type[Command]]:
    return {sub for direct in kind.__subclasses__() for sub in {direct, *_subclasses(direct)}}
