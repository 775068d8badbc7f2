"""Kinds of paper and drawer job; `ref` is the seq of the event a job is about."""

from __future__ import annotations

RECEIPT = "receipt"
DRAWER = "drawer"
"""Kick the drawer; its event is the journaled reason (INV-4.7)."""
COPY = "copy"
"""Reprint of the document at `ref`; extra `copy`: its count from 1."""
Z_REPORT = "z_report"
X_REPORT = "x_report"
"""Totals as of `ref`; extra `shift`, `totals` (holdfast_contract.shift.Totals) and `expected`."""
ENERGY_REPORT = "energy_report"
"""An event's energy account; its event is the statement."""
