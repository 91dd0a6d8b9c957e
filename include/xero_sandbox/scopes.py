"""The scopes that Xero knows, in the words of its consent page, and which one includes which.

Knows names only. Which resource needs which scope is said where the resource is served. Follows
Xero's "Scopes": granular ones, and the broad ones that stop working on 2027-09-13.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

_REPORTS = {
    "aged": "aged receivables and payables",
    "balancesheet": "balance sheet",
    "banksummary": "bank summary",
    "budgetsummary": "budget summary",
    "executivesummary": "executive summary",
    "profitandloss": "profit and loss",
    "trialbalance": "trial balance",
    "taxreports": "tax reports",
    "tenninetynine": "1099 report",
}
_AREAS = {
    "accounting.transactions": "invoices, payments and bank transactions",
    "accounting.invoices": "invoices, bills, credit notes, quotes, purchase orders and items",
    "accounting.payments": "payments, batch payments, prepayments and overpayments",
    "accounting.banktransactions": "money spent, received and moved between bank accounts",
    "accounting.manualjournals": "manual journals",
    "accounting.contacts": "contacts and contact groups",
    "accounting.settings": "organisation settings, accounts, tax rates and currencies",
    "accounting.attachments": "files attached to documents",
    "accounting.classicexpenses": "receipts and expense claims",
}
_SIGN_IN = {
    "openid": "Know who you are",
    "profile": "View your name",
    "email": "View your email address",
    "offline_access": "Stay connected while you are away",
}
_READ_ONLY = {
    "accounting.budgets.read": "View your budgets",
    "accounting.journals.read": "View your general ledger journals",
    "accounting.reports.read": "View all of your reports",
    "paymentservices": "Manage your payment services",
}

SCOPES_IN_WORDS: Mapping[str, str] = MappingProxyType(
    {
        **_SIGN_IN,
        **{area: f"View and change your {words}" for area, words in _AREAS.items()},
        **{f"{area}.read": f"View your {words}" for area, words in _AREAS.items()},
        **_READ_ONLY,
        **{f"accounting.reports.{name}.read": f"View your {w}" for name, w in _REPORTS.items()},
    }
)
"""Every scope an app may ask for, as a sentence for the person who consents."""

SIGN_IN_SCOPES = tuple(_SIGN_IN)


def unknown_scopes(scopes: Iterable[str]) -> list[str]:
    """Those that Xero does not know; one of them fails the whole request."""
    return [scope for scope in scopes if scope not in SCOPES_IN_WORDS]


def suffices(granted: Iterable[str], needed: Iterable[str]) -> bool:
    """Whether any of the alternatives in `needed` was granted; writing implies reading."""
    have = set(granted)
    have |= {f"{scope}.read" for scope in have}
    alternatives = set(needed)
    return not alternatives or not have.isdisjoint(alternatives)
