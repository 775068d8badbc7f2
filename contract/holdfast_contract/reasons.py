"""Every reason a hub refuses with: the code, what it means, and what to do."""

from __future__ import annotations

REASONS: dict[str, tuple[str, str]] = {
    "ambiguous_code": ("This code is on more than one product.", "Scan the shelf label of the one you mean."),
    "amount_missing": ("An amount is needed first.", "Scan digit cards, then repeat."),
    "badge_needed": (
        "This needs a badge with the right role.",
        "Scan your badge, then scan the command again.",
    ),
    "badge_unknown": ("This badge is not known here.", "Ask a supervisor to issue a badge."),
    "cart_empty": ("There is nothing in the cart.", "Scan a product first."),
    "cart_full": ("The cart has too many lines.", "Finish this sale and start another."),
    "cart_not_open": ("There is no open cart.", "Scan a product to start a sale."),
    "cart_open": ("A cart is still open.", "Finish, park or void it first."),
    "cart_unknown": ("There is no such parked cart.", "Look at the parked slips, or start a new sale."),
    "cash_short": ("Less cash than is due.", "Scan the amount again or use another tender."),
    "catalogue_invalid": ("The catalogue file has errors.", "Correct the lines named and import again."),
    "charge_unknown": (
        "Nobody knows how full the battery is.",
        "Say so: holdfast power plan arm --charge PERCENT; or wait for the battery board to answer.",
    ),
    "command_corrupt": ("The barcode was not read cleanly.", "Scan it again."),
    "confirm": ("This command must be scanned twice.", "Scan the same command again within 10 seconds."),
    "count_expired": ("This count is too old.", "Count again."),
    "count_superseded": ("A later count of this product is already posted.", "Count again if in doubt."),
    "delivery_empty": ("Nothing was counted in.", "Scan a product, or ABORT."),
    "delivery_not_open": ("No delivery is open.", "Scan RECEIVE first."),
    "delivery_open": ("A delivery is still open here.", "Finish it with DONE, or leave it with ABORT."),
    "device_absent": ("The device is not there.", "Plug it in; `holdfast devices` shows what is missing."),
    "disk_full": (
        "The storage is nearly full.",
        "Free space or change the card; `holdfast status` shows how much.",
    ),
    "document_unknown": ("No document has this number.", "Check the number on the paper."),
    "drawer_short": ("The drawer holds less than that.", "Check the amount."),
    "expired_command": ("This request is too old.", "Send it again with a new id."),
    "fault": (
        "The hub could not do this: it has a defect.",
        "Send the log to whoever maintains it: journalctl -u holdfast.",
    ),
    "idempotency_conflict": ("This request id was used for something else.", "Send it again with a new id."),
    "invalid": ("The request is not valid.", "See the detail."),
    "line_unknown": ("There is no such line.", "Scan the product first."),
    "no_price": ("This product has no price.", "Set one: holdfast catalogue price SKU AMOUNT."),
    "not_permitted": ("Your role does not allow this.", "Ask a supervisor."),
    "plan_armed": (
        "An event's energy is planned already.",
        "Change it: holdfast power plan extend; or end it: holdfast power plan end.",
    ),
    "plan_none": ("No event's energy is planned.", "Plan it: holdfast power plan arm --until TIME."),
    "plan_short": (
        "The battery does not last until then.",
        "Take a larger or fuller pack, end earlier, or leave loads out; see the detail.",
    ),
    "quantity_confirm": ("This quantity is unusually large.", "Scan DONE again to confirm it."),
    "queue_full": ("Too many scans are waiting.", "Wait for the light."),
    "quantity_weighed": ("This quantity was weighed.", "VOIDLINE, then weigh it again."),
    "reason_missing": ("A reason is needed.", "Repeat it with a reason."),
    "scale_fault": (
        "The scale reports a fault.",
        "Empty it, switch it off and on; if it stays, call a technician.",
    ),
    "scale_motion": ("What lies on the scale still moves.", "Let it rest, then scan again."),
    "scale_overload": ("Too much lies on the scale.", "Weigh it in parts."),
    "scale_refused": ("The scale did not do that.", "Let it rest, with no more on it than the tare; then scan again."),
    "scale_under_zero": (
        "The scale shows less than nothing.",
        "Empty it and scan ZERO; after a tare, put the tare back first.",
    ),
    "scale_unit": (
        "The scale does not weigh in whole grams.",
        "Set it to kilograms; `holdfast devices` shows its state.",
    ),
    "scale_unknown": (
        "The scale does not answer.",
        "Look at its plug and power, then scan again; `holdfast devices` shows its state.",
    ),
    "scale_zero": ("Nothing lies on the scale.", "Put it on, then scan again."),
    "serial_conflict": ("Another command changed this first.", "Look at the cart and try again."),
    "shift_closed": ("No shift is open.", "Scan SHIFTOPEN, the float, DONE."),
    "shift_open": ("A shift is already open.", "Close it first: SHIFTCLOSE."),
    "stopping": ("The hub is shutting down.", "Wait until it is back."),
    "storage_failed": ("The record could not be written.", "Call a technician: holdfast journal verify."),
    "test_not_now": (
        "The battery is not tested now: a test needs mains, a charge of 90 % and no open sale.",
        "Wait for that, then ask again; see the detail.",
    ),
    "training_on": ("Not possible in training.", "Scan TRAIN to leave training."),
    "unknown_code": ("This code is not in the catalogue.", "Add the product, or use MISC with an amount."),
    "variance": ("Counted and expected differ too much.", "Count again; a supervisor must confirm."),
    "version_old": ("A newer catalogue is in use.", "Export it again with a higher version."),
    "weight_missing": (
        "This product is sold by weight.",
        "Scan it at a station with a scale, or sell it with MISC and an amount.",
    ),
    "wrong_mode": ("This is not possible now.", "Finish what is open or scan ABORT."),
}

FAULTS: dict[str, tuple[str, str]] = {
    "absent": ("Nothing is at its port.", "Plug it in and switch it on."),
    "battery_failed_test": (
        "The battery did not last as long as it must.",
        "Replace it, then `holdfast power forget`.",
    ),
    "battery_ups_says": (
        "The UPS says that its battery should be replaced.",
        "Replace it, then `holdfast power forget`.",
    ),
    "battery_worn": (
        "The battery holds less than 60 % of its label.",
        "Replace it, then `holdfast power forget`; or correct `capacity_wh` if the label says less.",
    ),
    "bus": ("Its bus failed.", "Check its wiring, then restart the hub."),
    "bus_stuck": (
        "A chip holds the bus it is on.",
        "Switch hub and board off and on. Without that: docs/power.md, A bus that is stuck.",
    ),
    "busy": (
        "Another program uses its port, or it is at work.",
        "End that program; `fuser -v PORT` names it.",
    ),
    "cover_open": ("Its cover is open.", "Close it."),
    "error": ("It reports a fault.", "Look for jammed paper, then switch it off and on."),
    "garbled": (
        "What it sends makes no sense.",
        "Check its protocol and baud rate; `holdfast devices record` shows what comes.",
    ),
    "gauge_contradicted": (
        "The battery's gauge says what its voltage does not bear out; the hub reckons without it.",
        "Let the battery fill for an hour; if this comes back, check the gauge's settings or replace the board.",
    ),
    "gauge_jumped": (
        "The battery's gauge jumped by more than 10 % within a minute; the hub reckons without it for a while.",
        "Nothing, if it does so once. If often, check the wires between board and battery.",
    ),
    "gauge_stuck": (
        "The battery's gauge does not move while the battery drains; the hub reckons without it.",
        "Switch hub and board off and on; if this comes back, replace the board.",
    ),
    "mains_contradicted": (
        "The board's word on the mains contradicts the battery's voltage, which is believed.",
        "Check `mains_pin`, `mains_lost_level` and the board's jumper for the mains line.",
    ),
    "not_configured": (
        "It is plugged in and in no configuration.",
        "`holdfast devices identify PATH` says what to write.",
    ),
    "offline": ("It says that it is not ready.", "Look at its own lights and buttons."),
    "paper_end": ("It has no paper.", "Put in a new roll."),
    "port_swap": ("Another device is at its port.", "Swap the plugs, or `holdfast devices forget` it if replaced."),
    "refused": (
        "It, its port or its driver refuses.",
        "Check the rights on its port and its options; the log says more.",
    ),
    "released": ("The hub has let go of it.", "`holdfast devices claim` takes it back; so does a restart."),
    "self_test_due": (
        "The battery has not been tested for a week.",
        "Run `holdfast power test` when there is no customer.",
    ),
    "timeout": ("It does not answer.", "Check its cable and power, then switch it off and on."),
    "unplugged": ("It was unplugged or lost its power.", "Plug it in again; the hub finds it by itself."),
    "unsupported": ("Nothing here can drive it.", "Use another mode of it, or a driver: docs/writing-a-driver.md."),
}
"""What can be wrong with a device: the code, what it means, and what to do."""


def words(reason: str) -> str:
    """What a reason or a fault means and what to do about it."""
    meaning, remedy = REASONS.get(reason) or FAULTS.get(reason, (reason, "Ask a technician."))
    return f"{meaning} {remedy}"
