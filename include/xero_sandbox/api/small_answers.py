"""The small answers of the accounting API: settings and links of one record or organisation.

OnlineInvoice, CISSettings, PaymentServices, Organisation/Actions, InvoiceReminders/Settings.
Knows what Xero says when a feature is not used: no organisation of the sandbox takes part in the
UK's Construction Industry Scheme, has a payment service or sends reminders. Must not know books,
or how a call is let through.
"""

from __future__ import annotations

import hashlib

from starlette.requests import Request
from starlette.responses import Response

from xero_sandbox.api.answering import answer
from xero_sandbox.api.operation import Operation
from xero_sandbox.api.parents import RECORD, parent_of, shelf_of
from xero_sandbox.api.resources import PAYMENT_SERVICES, SETTINGS, scopes_of
from xero_sandbox.errors import NotFoundError

_ACTIONS = (
    "CreateApprovedInvoice",
    "CreateDraftPurchaseOrder",
    "CreateApprovedBill",
    "AttachFilesIntoInvoice",
    "UseMulticurrency",
    "CreateDraftInvoice",
    "CreateRepeatingInvoice",
    "CreateRepeatingBill",
    "CreateSentQuote",
    "CreateInvoicePayment",
    "CreateApprovedPurchaseOrder",
    "CreateDraftQuote",
    "CreateDraftBill",
)
_ONLINE = ("AUTHORISED", "PAID")


def _online_invoice(request: Request) -> Response:
    """Where a customer sees an approved invoice; a bill or a draft has no such page."""
    body = parent_of(request, "Invoices").body()
    if body["Type"] != "ACCREC" or body["Status"] not in _ONLINE:
        raise NotFoundError
    digest = hashlib.blake2b(body["InvoiceID"].encode(), digest_size=20).hexdigest()
    url = {"OnlineInvoiceUrl": f"https://in.xero.com/{digest}"}
    return answer(request, "OnlineInvoices", [url])


def _contact_cis(request: Request) -> Response:
    """404: the scheme was enabled for no contact."""
    parent_of(request, "Contacts")
    raise NotFoundError


def _organisation_cis(request: Request) -> Response:
    """Outside the United Kingdom 404, within it that the scheme is not used."""
    organisation = parent_of(request, "Organisations").body()
    if organisation.get("CountryCode") != "GB":
        raise NotFoundError
    settings = {"CISContractorEnabled": False, "CISSubContractorEnabled": False}
    return answer(request, "CISSettings", [settings])


def _payment_services(request: Request) -> Response:
    return answer(request, "PaymentServices", [])


def _payment_services_of_theme(request: Request) -> Response:
    parent_of(request, "BrandingThemes")
    return answer(request, "PaymentServices", [])


def _actions(request: Request) -> Response:
    """What the organisation's plan allows: everything, several currencies if it has them."""
    refused = () if len(shelf_of(request, "Currencies")) > 1 else ("UseMulticurrency",)
    actions = [
        {"Name": name, "Status": "NOT-ALLOWED" if name in refused else "ALLOWED"}
        for name in _ACTIONS
    ]
    return answer(request, "Actions", actions)


def _invoice_reminders(request: Request) -> Response:
    return answer(request, "InvoiceReminders", [{"Enabled": False}])


routes = [
    Operation("/InvoiceReminders/Settings", _invoice_reminders, scopes=SETTINGS),
    Operation("/Organisation/Actions", _actions, scopes=SETTINGS),
    Operation(f"/Organisation/{RECORD}/CISSettings", _organisation_cis, scopes=SETTINGS),
    Operation("/PaymentServices", _payment_services, scopes=PAYMENT_SERVICES),
    Operation(
        f"/BrandingThemes/{RECORD}/PaymentServices",
        _payment_services_of_theme,
        scopes=PAYMENT_SERVICES,
    ),
    Operation(f"/Contacts/{RECORD}/CISSettings", _contact_cis, scopes=SETTINGS),
    Operation(f"/Invoices/{RECORD}/OnlineInvoice", _online_invoice, scopes=scopes_of("Invoices")),
]
