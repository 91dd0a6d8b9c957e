"""What Xero offers beside its lists: by-id routes, numbers, histories, files, PDFs, every report.

Knows which endpoint has which, and finds an endpoint or a report by any name it has. Must not know
HTTP, or what an answer holds. Follows Xero's published accounting API (OpenAPI 16.1).
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from airflow_xero.endpoint import Endpoint, Reading
from airflow_xero.endpoints import ENDPOINTS
from airflow_xero.errors import XeroSetupError

ATTACHMENT_SCOPES = ("accounting.attachments.read", "accounting.attachments")

WITHOUT_ROUTE_BY_ID = frozenset({"currencies", "organisations"})
WITH_CODES = frozenset({"tax_rates"})
"""Their records are asked for by a code; all others by a GUID."""

WITH_HISTORY = frozenset(
    {
        "bank_transactions",
        "bank_transfers",
        "batch_payments",
        "contacts",
        "credit_notes",
        "invoices",
        "items",
        "manual_journals",
        "overpayments",
        "payments",
        "prepayments",
        "purchase_orders",
        "quotes",
        "repeating_invoices",
    }
)
WITH_ATTACHMENTS = frozenset(
    {
        "accounts",
        "bank_transactions",
        "bank_transfers",
        "contacts",
        "credit_notes",
        "invoices",
        "manual_journals",
        "purchase_orders",
        "quotes",
        "repeating_invoices",
    }
)
NUMBER_FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "credit_notes": "CreditNoteNumber",
        "invoices": "InvoiceNumber",
        "purchase_orders": "PurchaseOrderNumber",
        "quotes": "QuoteNumber",
    }
)
"""Documents that have a number, and the field that holds it."""

WITH_PDF = frozenset(NUMBER_FIELDS)

_BASIS = ("standardLayout", "paymentsOnly")
_REPORT_PARAMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "AgedPayablesByContact": ("contactId", "date", "fromDate", "toDate"),
        "AgedReceivablesByContact": ("contactId", "date", "fromDate", "toDate"),
        "BalanceSheet": (
            *("date", "periods", "timeframe", "trackingOptionID1", "trackingOptionID2"),
            *_BASIS,
        ),
        "BankSummary": ("fromDate", "toDate"),
        "BudgetSummary": ("date", "periods", "timeframe"),
        "ExecutiveSummary": ("date",),
        "ProfitAndLoss": (
            *("fromDate", "toDate", "periods", "timeframe"),
            *("trackingCategoryID", "trackingCategoryID2"),
            *("trackingOptionID", "trackingOptionID2"),
            *_BASIS,
        ),
        "TenNinetyNine": ("reportYear",),
        "TrialBalance": ("date", "paymentsOnly"),
    }
)


def _report(name: str, path: str, *scopes: str) -> Endpoint:
    return Endpoint(name, path, "Reports", "ReportID", Reading.REPORT, scopes)


_BROAD = "accounting.reports.read"
_AGED = "accounting.reports.aged.read"
_ON_DEMAND_REPORTS = (
    _report("aged_payables", "Reports/AgedPayablesByContact", _AGED, _BROAD),
    _report("aged_receivables", "Reports/AgedReceivablesByContact", _AGED, _BROAD),
    _report(
        "ten_ninety_nines", "Reports/TenNinetyNine", "accounting.reports.tenninetynine.read", _BROAD
    ),
)
PUBLISHED_REPORTS = _report(
    "published_reports", "Reports", "accounting.reports.taxreports.read", _BROAD
)
"""Reports that somebody published in Xero, such as a return of sales tax; each has an id."""


@dataclass(frozen=True)
class ReportOffer:
    """A report, and the names of what it can be asked."""

    endpoint: Endpoint
    params: tuple[str, ...]


def endpoint_named(
    name: str, *, among: Container[str] | None = None, has: str = "this"
) -> Endpoint:
    """The endpoint of a name of `endpoints.py`, or of Xero's own (`CreditNotes`), in any case.

    Raises XeroSetupError for a name that there is not, for a report, and for an endpoint that is
    not `among` those of which Xero `has` something.
    """
    lists = [each for each in ENDPOINTS if each.reading is not Reading.REPORT]
    for endpoint in lists:
        if _folded(name) in map(_folded, (endpoint.name, endpoint.path, endpoint.array_key)):
            if among is None or endpoint.name in among:
                return endpoint
            having = ", ".join(each.name for each in lists if each.name in among)
            raise XeroSetupError(f"Xero has no {has} of {endpoint.name}, only of: {having}")
    names = ", ".join(each.name for each in lists)
    raise XeroSetupError(f"There is no endpoint {_shown(name)}; the names are {names}")


def report_named(name: str) -> ReportOffer:
    """The report of Xero's own name (`BalanceSheet`) or of ours (`balance_sheets`), in any case.

    Raises XeroSetupError naming the reports.
    """
    extracted = [each for each in ENDPOINTS if each.reading is Reading.REPORT]
    for endpoint in (*extracted, *_ON_DEMAND_REPORTS):
        own = endpoint.path.removeprefix("Reports/")
        if _folded(name) in map(_folded, (endpoint.name, own, endpoint.path)):
            return ReportOffer(replace(endpoint, report=None), _REPORT_PARAMS[own])
    names = ", ".join(_REPORT_PARAMS)
    raise XeroSetupError(
        f"Xero has no report {_shown(name)}; the names are {names}, or the id of a published one"
    )


def _folded(name: str) -> str:
    return str(name).replace("_", "").casefold()


def _shown(name: str) -> str:
    return repr(str(name)[:80])
