"""Every event type and the body it carries: the one place where a type name is spelled."""

from __future__ import annotations

import msgspec

from holdfast_contract import catalogue, hub, power, sale, shift, stock
from holdfast_contract.body import Body
from holdfast_contract.record import Record

TYPES: dict[str, type[Body]] = {
    "hub.created": hub.HubCreated,
    "hub.started": hub.HubStarted,
    "hub.stopped": hub.HubStopped,
    "hub.link_changed": hub.LinkChanged,
    "hub.security_noted": hub.SecurityNoted,
    "operator.badge_issued": hub.BadgeIssued,
    "operator.badge_revoked": hub.BadgeRevoked,
    "operator.signed_in": hub.SignedIn,
    "operator.training_set": hub.TrainingSet,
    "catalogue.imported": catalogue.CatalogueImported,
    "price.changed": catalogue.PriceChanged,
    "delivery.opened": stock.DeliveryOpened,
    "delivery.line_set": stock.DeliveryLineSet,
    "delivery.abandoned": stock.DeliveryAbandoned,
    "stock.received": stock.StockReceived,
    "stock.adjusted": stock.StockAdjusted,
    "discrepancy.opened": stock.DiscrepancyOpened,
    "discrepancy.closed": stock.DiscrepancyClosed,
    "cart.opened": sale.CartOpened,
    "cart.line_added": sale.LineAdded,
    "cart.line_changed": sale.LineChanged,
    "cart.parked": sale.CartParked,
    "cart.resumed": sale.CartResumed,
    "cart.abandoned": sale.CartAbandoned,
    "sale.completed": sale.SaleCompleted,
    "shift.opened": shift.ShiftOpened,
    "shift.closed": shift.ShiftClosed,
    "drawer.moved": shift.DrawerMoved,
    "paper.outcome_unknown": shift.PaperOutcomeUnknown,
    "paper.reprinted": shift.Reprinted,
    "power.mains_changed": power.MainsChanged,
    "power.stage_changed": power.StageChanged,
    "power.blind": power.PowerBlind,
    "power.resumed": power.PowerResumed,
    "power.battery_tested": power.BatteryTested,
    "power.replace_battery": power.ReplaceBattery,
    "power.battery_renewed": power.BatteryRenewed,
    "power.load_shed": power.LoadShed,
    "power.load_restored": power.LoadRestored,
    "power.plan_armed": power.PlanArmed,
    "power.plan_extended": power.PlanExtended,
    "power.plan_ended": power.PlanEnded,
    "power.metered": power.EnergyMetered,
    "power.statement": power.PowerStatement,
    "power.grid_signalled": power.GridSignalled,
}

NAME_OF: dict[type[Body], str] = {body: name for name, body in TYPES.items()}

_DECODERS = {name: msgspec.msgpack.Decoder(body) for name, body in TYPES.items()}


def decode_body(record: Record) -> Body | None:
    """The typed body; None for a type this reader does not know. Raises msgspec.ValidationError on a misfit."""
    decoder = _DECODERS.get(record.type)
    return None if decoder is None else decoder.decode(record.body)
