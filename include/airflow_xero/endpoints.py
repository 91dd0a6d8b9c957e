"""Every Xero endpoint that is extracted, one frozen row each, in the order of reading.

The only home of paths, array keys, id fields, scopes, how each endpoint changes and how often it
is read; what the words mean is told by `endpoint.py`. Knows nothing of HTTP or Postgres.
Source: Xero's published accounting API (OpenAPI 16.1).

Adding one is a numbered list in CONTRIBUTING.md; `tests/test_house.py` names a missing step.
"""

from __future__ import annotations

from datetime import date
from types import MappingProxyType

from airflow_xero.endpoint import Cadence, Endpoint, Paging, Params, Reading, Report
from airflow_xero.errors import XeroSetupError

__all__ = [
    "DEFAULT_ENDPOINTS",
    "ENDPOINTS",
    "Cadence",
    "Endpoint",
    "Paging",
    "Params",
    "Reading",
    "Report",
]

_SETTINGS = ("accounting.settings.read", "accounting.settings")
_CONTACTS = ("accounting.contacts.read", "accounting.contacts")
_BROAD = ("accounting.transactions.read", "accounting.transactions")
_INVOICES = ("accounting.invoices.read", "accounting.invoices", *_BROAD)
_PAYMENTS = ("accounting.payments.read", "accounting.payments", *_BROAD)
_BANK = ("accounting.banktransactions.read", "accounting.banktransactions", *_BROAD)
_MANUAL_JOURNALS = ("accounting.manualjournals.read", "accounting.manualjournals", *_BROAD)
_BUDGETS = ("accounting.budgets.read",)
_JOURNALS = ("accounting.journals.read",)

# Prices with four decimals are rounded to two unless asked for.
_FOUR_DECIMALS: Params = MappingProxyType({"unitdp": "4"})
_WITH_ARCHIVED: Params = MappingProxyType({"includeArchived": "true"})
_WITH_DELETED: Params = MappingProxyType({"includeDeleted": "true"})
_CASH: Params = MappingProxyType({"paymentsOnly": "true"})


def _as_at(day: date) -> Params:
    return {"date": day.isoformat()}


def _standard_as_at(day: date) -> Params:
    # An organisation's own layout would move rows without a word.
    return {"date": day.isoformat(), "standardLayout": "true"}


def _month_to(day: date) -> Params:
    return {"fromDate": day.replace(day=1).isoformat(), "toDate": day.isoformat()}


def _standard_month_to(day: date) -> Params:
    return {**_month_to(day), "standardLayout": "true"}


def _year_from(day: date) -> Params:
    return {"date": day.replace(day=1).isoformat(), "periods": "12", "timeframe": "1"}


_FULL, _CHANGES, _DETAILS, _NUMBERS, _REPORT = Reading
_SIZED, _HUNDREDS = Paging.SIZED, Paging.HUNDREDS
_A_WEEK, _A_MONTH = 7, 28
_WEEKLY, _MONTHLY = Cadence.WEEKLY, Cadence.MONTHLY


def _report(name: str) -> tuple[str, ...]:
    return (f"accounting.reports.{name}.read", "accounting.reports.read")


ENDPOINTS: tuple[Endpoint, ...] = (
    # Organisation comes first: its answer is Xero's own clock, and costs no egress.
    Endpoint(
        "organisations",
        "Organisation",
        "Organisations",
        "OrganisationID",
        _FULL,
        _SETTINGS,
        never_empties=True,
    ),
    Endpoint(
        "currencies",
        "Currencies",
        "Currencies",
        "Code",
        _FULL,
        _SETTINGS,
        cadence=_WEEKLY,
        never_empties=True,
    ),
    Endpoint(
        "tax_rates",
        "TaxRates",
        "TaxRates",
        "TaxType",
        _FULL,
        _SETTINGS,
        cadence=_WEEKLY,
        never_empties=True,
    ),
    Endpoint(
        "tracking_categories",
        "TrackingCategories",
        "TrackingCategories",
        "TrackingCategoryID",
        _FULL,
        _SETTINGS,
        params=_WITH_ARCHIVED,
        cadence=_WEEKLY,
    ),
    Endpoint(
        "branding_themes",
        "BrandingThemes",
        "BrandingThemes",
        "BrandingThemeID",
        _FULL,
        _SETTINGS,
        cadence=_WEEKLY,
        never_empties=True,
        is_required=False,
    ),
    Endpoint(
        "users",
        "Users",
        "Users",
        "UserID",
        _FULL,
        _SETTINGS,
        cadence=_WEEKLY,
        never_empties=True,
        is_required=False,
    ),
    Endpoint("accounts", "Accounts", "Accounts", "AccountID", _FULL, _SETTINGS, never_empties=True),
    Endpoint(
        "contacts",
        "Contacts",
        "Contacts",
        "ContactID",
        _CHANGES,
        _CONTACTS,
        params=_WITH_ARCHIVED,
        paging=_SIZED,
        reread_nights=_A_WEEK,
    ),
    Endpoint(
        "contact_groups",
        "ContactGroups",
        "ContactGroups",
        "ContactGroupID",
        _FULL,
        _CONTACTS,
        cadence=_WEEKLY,
        is_required=False,
    ),
    Endpoint(
        "items", "Items", "Items", "ItemID", _FULL, (*_SETTINGS, *_INVOICES), params=_FOUR_DECIMALS
    ),
    Endpoint(
        "invoices",
        "Invoices",
        "Invoices",
        "InvoiceID",
        _CHANGES,
        _INVOICES,
        params=_FOUR_DECIMALS,
        paging=_SIZED,
        reread_nights=_A_MONTH,
        is_posted=True,
    ),
    Endpoint(
        "credit_notes",
        "CreditNotes",
        "CreditNotes",
        "CreditNoteID",
        _CHANGES,
        _INVOICES,
        params=_FOUR_DECIMALS,
        paging=_SIZED,
        reread_nights=_A_MONTH,
        is_posted=True,
    ),
    Endpoint(
        "payments",
        "Payments",
        "Payments",
        "PaymentID",
        _CHANGES,
        _PAYMENTS,
        paging=_SIZED,
        is_posted=True,
    ),
    Endpoint(
        "batch_payments", "BatchPayments", "BatchPayments", "BatchPaymentID", _CHANGES, _PAYMENTS
    ),
    Endpoint(
        "prepayments",
        "Prepayments",
        "Prepayments",
        "PrepaymentID",
        _CHANGES,
        _PAYMENTS,
        params=_FOUR_DECIMALS,
        paging=_SIZED,
        is_posted=True,
    ),
    Endpoint(
        "overpayments",
        "Overpayments",
        "Overpayments",
        "OverpaymentID",
        _CHANGES,
        _PAYMENTS,
        params=_FOUR_DECIMALS,
        paging=_SIZED,
        is_posted=True,
    ),
    Endpoint(
        "bank_transactions",
        "BankTransactions",
        "BankTransactions",
        "BankTransactionID",
        _CHANGES,
        _BANK,
        params=_FOUR_DECIMALS,
        paging=_SIZED,
        reread_nights=_A_MONTH,
        is_posted=True,
    ),
    Endpoint(
        "bank_transfers",
        "BankTransfers",
        "BankTransfers",
        "BankTransferID",
        _FULL,
        _BANK,
        params=_WITH_DELETED,
        is_posted=True,
    ),
    Endpoint(
        "manual_journals",
        "ManualJournals",
        "ManualJournals",
        "ManualJournalID",
        _CHANGES,
        _MANUAL_JOURNALS,
        paging=_SIZED,
        is_posted=True,
        is_required=False,
    ),
    Endpoint(
        "purchase_orders",
        "PurchaseOrders",
        "PurchaseOrders",
        "PurchaseOrderID",
        _CHANGES,
        _INVOICES,
        paging=_SIZED,
    ),
    Endpoint("quotes", "Quotes", "Quotes", "QuoteID", _CHANGES, _INVOICES, paging=_HUNDREDS),
    Endpoint(
        "linked_transactions",
        "LinkedTransactions",
        "LinkedTransactions",
        "LinkedTransactionID",
        _FULL,
        _INVOICES,
        paging=_HUNDREDS,
        cadence=_WEEKLY,
    ),
    Endpoint(
        "repeating_invoices",
        "RepeatingInvoices",
        "RepeatingInvoices",
        "RepeatingInvoiceID",
        _FULL,
        _INVOICES,
        cadence=_WEEKLY,
    ),
    Endpoint(
        "budgets",
        "Budgets",
        "Budgets",
        "BudgetID",
        _DETAILS,
        _BUDGETS,
        cadence=_WEEKLY,
        is_required=False,
    ),
    Endpoint(
        "journals",
        "Journals",
        "Journals",
        "JournalID",
        _NUMBERS,
        _JOURNALS,
        is_default=False,
        is_required=False,
    ),
    Endpoint(
        "cash_journals",
        "Journals",
        "Journals",
        "JournalID",
        _NUMBERS,
        _JOURNALS,
        params=_CASH,
        is_default=False,
        is_required=False,
    ),
    Endpoint(
        "trial_balances",
        "Reports/TrialBalance",
        "Reports",
        "ReportID",
        _REPORT,
        _report("trialbalance"),
        report=Report(_as_at),
        is_required=False,
    ),
    Endpoint(
        "profit_and_losses",
        "Reports/ProfitAndLoss",
        "Reports",
        "ReportID",
        _REPORT,
        _report("profitandloss"),
        report=Report(_standard_month_to, bases=("accrual", "cash")),
        is_required=False,
    ),
    Endpoint(
        "balance_sheets",
        "Reports/BalanceSheet",
        "Reports",
        "ReportID",
        _REPORT,
        _report("balancesheet"),
        report=Report(_standard_as_at),
        is_required=False,
    ),
    Endpoint(
        "bank_summaries",
        "Reports/BankSummary",
        "Reports",
        "ReportID",
        _REPORT,
        _report("banksummary"),
        report=Report(_month_to),
        is_required=False,
    ),
    Endpoint(
        "executive_summaries",
        "Reports/ExecutiveSummary",
        "Reports",
        "ReportID",
        _REPORT,
        _report("executivesummary"),
        report=Report(_as_at, is_of_month=True),
        is_required=False,
    ),
    Endpoint(
        "budget_summaries",
        "Reports/BudgetSummary",
        "Reports",
        "ReportID",
        _REPORT,
        _report("budgetsummary"),
        cadence=_MONTHLY,
        report=Report(_year_from),
        is_required=False,
    ),
)


DEFAULT_ENDPOINTS = tuple(endpoint for endpoint in ENDPOINTS if endpoint.is_default)
"""What is read unless the connection says otherwise."""


def chosen_endpoints(text: str) -> tuple[Endpoint, ...]:
    """The endpoints a connection asks for: names that are read, too, and `-name` for never.

    Separated by spaces or commas; nothing means the usual ones. Raises XeroSetupError for a name
    that does not exist, and for the one that cannot be left out.
    """
    words = text.replace(",", " ").split()
    names = {word.removeprefix("-") for word in words}
    known = {endpoint.name for endpoint in ENDPOINTS}
    clock = ENDPOINTS[0].name
    if names - known or f"-{clock}" in words:
        wrong = ", ".join(sorted(names - known)) or f"-{clock}"
        raise XeroSetupError(
            f"The endpoints of the connection cannot be {wrong}: the names are"
            f" {', '.join(sorted(known))}; {clock} is always read"
        )
    return tuple(
        endpoint
        for endpoint in ENDPOINTS
        if f"-{endpoint.name}" not in words and (endpoint.is_default or endpoint.name in words)
    )


def report_key(endpoint: Endpoint, day: date, basis: str = "accrual") -> str:
    """The speaking key of a report, such as `TrialBalance:2026-11-20:accrual`."""
    return f"{endpoint.path.removeprefix('Reports/')}:{day.isoformat()}:{basis}"


def report_params(endpoint: Endpoint, day: date, basis: str = "accrual") -> Params:
    """What is asked of a report as at a day."""
    if endpoint.report is None:
        return {}
    return {**endpoint.report.params(day), **(_CASH if basis == "cash" else {})}
