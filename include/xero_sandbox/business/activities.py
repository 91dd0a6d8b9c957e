"""Which activities a business has, by the features it was given.

Knows every activity by name. Must not know what they do.
"""

from __future__ import annotations

from xero_sandbox.business import (
    advances,
    banking,
    closing,
    files,
    pipeline,
    shelves,
    sorting,
    staff,
    upkeep,
)
from xero_sandbox.business.office import Activity, Office
from xero_sandbox.business.trading import Trading
from xero_sandbox.business.treasury import Treasury

_ALONE = (
    banking.Transfers,
    banking.ForeignBanks,
    banking.Batches,
    banking.Rounding,
    closing.Conversion,
    staff.Payroll,
    staff.ExpenseClaims,
    closing.Depreciation,
    closing.ManualJournals,
    closing.Budgets,
    files.Attachments,
    files.History,
    files.Linked,
    sorting.Tracking,
    sorting.Groups,
    upkeep.Upkeep,
)
_WITH_TREASURY = (advances.Prepayments, advances.Overpayments)
_WITH_TRADING = (
    files.Approvals,
    pipeline.Quotes,
    pipeline.PurchaseOrders,
    pipeline.Repeating,
    shelves.Stock,
)


def activities_of(office: Office, trading: Trading, treasury: Treasury) -> list[Activity]:
    """Return the activities of the features that the office's traits name."""
    features = office.traits.features
    made: list[Activity] = [kind(office) for kind in _ALONE if kind.feature in features]
    made += [kind(office, treasury) for kind in _WITH_TREASURY if kind.feature in features]
    made += [kind(office, trading) for kind in _WITH_TRADING if kind.feature in features]
    return made
