"""The resources of the accounting API that a new app can reach: one row for each.

Knows paths, array keys, scopes, and what a list of each can be asked. Must not know records or
how a request is answered. Follows Xero's published accounting API (OpenAPI 16.1) and its scopes.

Not here, since each is read in a way of its own: Journals, a budget by its id, reports, and what
hangs on a record (History, Attachments, PDF).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from xero_sandbox.wire.id_fields import ID_FIELDS


class Pages(Enum):
    """How a list is cut into pages.

    NONE: not at all. SIZED: by `page` and `pageSize`, with a `pagination` object. ALWAYS: the
    same, asked for or not. FIXED: by `page`, 100 records each, without that object.
    ALWAYS_FIXED: the same, asked for or not.
    """

    NONE = "none"
    SIZED = "sized"
    ALWAYS = "always"
    FIXED = "fixed"
    ALWAYS_FIXED = "always fixed"


class Since(Enum):
    """What If-Modified-Since goes by: nothing, the last change, or the creation."""

    IGNORED = ""
    UPDATED = "UpdatedDateUTC"
    CREATED = "CreatedDateUTC"


_BY_FIELDS = ("where", "order")


@dataclass(frozen=True)
class Hidden:
    """Records left out of a list: `field` says `value`, unless one of `unless` was asked."""

    field: str
    value: str
    unless: tuple[str, ...] = ()


@dataclass(frozen=True)
class Resource:
    """One resource: the `key` of its array, which is its path too, and how its list is read.

    `is_light`: without a page, its list comes without lines and details; `is_always_light`: ever.
    `params`: what it can be asked, beside pages; anything else is ignored. `names`: fields that a
    record can be asked for by, beside its id. `paged_by`: params that turn paging on. `order`: how
    it is sorted unless asked otherwise, where that is not by UpdatedDateUTC and id.
    """

    key: str
    scopes: tuple[str, ...]
    pages: Pages = Pages.NONE
    since: Since = Since.UPDATED
    is_light: bool = False
    is_always_light: bool = False
    params: tuple[str, ...] = _BY_FIELDS
    names: tuple[str, ...] = ()
    paged_by: tuple[str, ...] = ()
    hidden: Hidden | None = None
    is_by_id: bool = True
    order: str = ""
    singular: str = ""

    @property
    def id_field(self) -> str:
        """The field that holds a record's id."""
        return ID_FIELDS[self.key]

    @property
    def path(self) -> str:
        """Its path below the API's; one alone has its key in the singular."""
        return self.singular or self.key


def either(name: str, *broader: str) -> tuple[str, ...]:
    """The scopes of which one suffices: granular first, each for reading and for writing."""
    scopes = (name, *broader)
    return tuple(each for scope in scopes for each in (f"{scope}.read", scope))


SETTINGS = either("accounting.settings")
ATTACHMENTS = either("accounting.attachments")
BUDGETS = ("accounting.budgets.read",)
JOURNALS = ("accounting.journals.read",)
PAYMENT_SERVICES = ("paymentservices",)
_CONTACTS = either("accounting.contacts")
_INVOICES = either("accounting.invoices", "accounting.transactions")
_PAYMENTS = either("accounting.payments", "accounting.transactions")
_BANK = either("accounting.banktransactions", "accounting.transactions")
_MANUAL_JOURNALS = either("accounting.manualjournals", "accounting.transactions")
_ITEMS = either("accounting.settings", "accounting.invoices")

RESOURCES: tuple[Resource, ...] = (
    Resource("Accounts", SETTINGS, order="Code"),
    Resource(
        "BankTransactions",
        _BANK,
        pages=Pages.SIZED,
        is_light=True,
        params=(*_BY_FIELDS, "unitdp", "References"),
    ),
    Resource(
        "BankTransfers",
        _BANK,
        since=Since.CREATED,
        params=(*_BY_FIELDS, "includeDeleted"),
        hidden=Hidden("Status", "DELETED", unless=("includeDeleted",)),
    ),
    Resource("BatchPayments", _PAYMENTS),
    Resource(
        "BrandingThemes",
        SETTINGS,
        since=Since.IGNORED,
        order="SortOrder",
        params=(),
    ),
    Resource(
        "Budgets",
        BUDGETS,
        since=Since.IGNORED,
        is_always_light=True,
        is_by_id=False,
        params=("IDs",),
    ),
    Resource(
        "ContactGroups",
        _CONTACTS,
        since=Since.IGNORED,
        is_always_light=True,
        hidden=Hidden("Status", "DELETED"),
    ),
    Resource(
        "Contacts",
        _CONTACTS,
        pages=Pages.SIZED,
        is_light=True,
        params=(*_BY_FIELDS, "IDs", "includeArchived", "summaryOnly", "searchTerm"),
        names=("ContactNumber",),
        hidden=Hidden("ContactStatus", "ARCHIVED", unless=("includeArchived", "IDs")),
    ),
    Resource(
        "CreditNotes",
        _INVOICES,
        pages=Pages.SIZED,
        is_light=True,
        params=(*_BY_FIELDS, "unitdp"),
        names=("CreditNoteNumber",),
    ),
    Resource("Currencies", SETTINGS, since=Since.IGNORED, is_by_id=False),
    Resource(
        "Invoices",
        _INVOICES,
        pages=Pages.SIZED,
        is_light=True,
        params=(
            *_BY_FIELDS,
            "IDs",
            "InvoiceNumbers",
            "ContactIDs",
            "Statuses",
            "createdByMyApp",
            "unitdp",
            "summaryOnly",
            "searchTerm",
        ),
        names=("InvoiceNumber",),
        paged_by=("Statuses", "summaryOnly"),
    ),
    Resource("Items", _ITEMS, params=(*_BY_FIELDS, "unitdp"), names=("Code",)),
    Resource(
        "LinkedTransactions",
        _INVOICES,
        pages=Pages.ALWAYS_FIXED,
        since=Since.IGNORED,
        params=(
            "LinkedTransactionID",
            "SourceTransactionID",
            "ContactID",
            "Status",
            "TargetTransactionID",
        ),
    ),
    Resource(
        "ManualJournals",
        _MANUAL_JOURNALS,
        pages=Pages.SIZED,
        is_light=True,
    ),
    Resource(
        "Organisations",
        SETTINGS,
        since=Since.IGNORED,
        is_by_id=False,
        singular="Organisation",
        params=(),
    ),
    Resource(
        "Overpayments",
        _PAYMENTS,
        pages=Pages.SIZED,
        is_light=True,
        params=(*_BY_FIELDS, "unitdp", "References"),
    ),
    Resource("Payments", _PAYMENTS, pages=Pages.SIZED),
    Resource(
        "Prepayments",
        _PAYMENTS,
        pages=Pages.SIZED,
        is_light=True,
        params=(*_BY_FIELDS, "unitdp", "InvoiceNumbers", "References"),
    ),
    Resource(
        "PurchaseOrders",
        _INVOICES,
        pages=Pages.ALWAYS,
        params=("order", "Status", "DateFrom", "DateTo"),
        names=("PurchaseOrderNumber",),
    ),
    Resource(
        "Quotes",
        _INVOICES,
        pages=Pages.FIXED,
        params=(
            "order",
            "DateFrom",
            "DateTo",
            "ExpiryDateFrom",
            "ExpiryDateTo",
            "ContactID",
            "Status",
            "QuoteNumber",
        ),
    ),
    Resource(
        "RepeatingInvoices",
        _INVOICES,
        since=Since.IGNORED,
    ),
    Resource("TaxRates", SETTINGS, since=Since.IGNORED, order="Name"),
    Resource(
        "TrackingCategories",
        SETTINGS,
        since=Since.IGNORED,
        params=(*_BY_FIELDS, "includeArchived"),
        hidden=Hidden("Status", "ARCHIVED", unless=("includeArchived",)),
    ),
    Resource("Users", SETTINGS),
)

_BY_PATH = {resource.path: resource for resource in RESOURCES}


def scopes_of(path: str) -> tuple[str, ...]:
    """The scopes for the list at `path` and for its records; KeyError for an unknown one."""
    return _BY_PATH[path].scopes


def _report(name: str) -> tuple[str, ...]:
    return (f"accounting.reports.{name}.read", "accounting.reports.read")


REPORTS: dict[str, tuple[str, ...]] = {
    "AgedPayablesByContact": _report("aged"),
    "AgedReceivablesByContact": _report("aged"),
    "BalanceSheet": _report("balancesheet"),
    "BankSummary": _report("banksummary"),
    "BudgetSummary": _report("budgetsummary"),
    "ExecutiveSummary": _report("executivesummary"),
    "ProfitAndLoss": _report("profitandloss"),
    "TenNinetyNine": ("accounting.reports.tenninetynine.read",),
    "TrialBalance": _report("trialbalance"),
}
"""Name of a report to its scopes."""

PUBLISHED_REPORTS = _report("taxreports")
"""The scopes of the list of reports that the organisation published (BAS, GST)."""
