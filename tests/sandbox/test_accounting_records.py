"""How every record looks on the wire, held against the published examples and recordings.

A difference from an example is in EXPLAINED, with its reason, or it is a mistake of ours.
"""

from __future__ import annotations

import json
from decimal import Decimal
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.specimens import Specimens, complete
from xero_sandbox.wire.format import dump
from xero_sandbox.wire.records import Shape

EXAMPLES = {
    "Accounts": "Accounts_AccountID",
    "BankTransactions": "BankTransactions_BankTransactionID",
    "BankTransfers": "BankTransfers_BankTransferID",
    "BatchPayments": "BatchPayments_BatchPaymentID",
    "BrandingThemes": "BrandingThemes",
    "Budgets": "Budgets",
    "ContactGroups": "ContactGroups_ContactGroupID",
    "Contacts": "Contacts_ContactID",
    "CreditNotes": "CreditNotes_CreditNoteID",
    "Invoices": "Invoices_InvoiceID",
    "Items": "Items_ItemID",
    "LinkedTransactions": "LinkedTransactions",
    "ManualJournals": "ManualJournals_ManualJournalID",
    "Overpayments": "Overpayments_OverpaymentID",
    "Payments": "Payments_PaymentID",
    "Prepayments": "Prepayments_PrepaymentID",
    "PurchaseOrders": "PurchaseOrders_PurchaseOrderID",
    "Quotes": "Quotes_QuoteID",
    "RepeatingInvoices": "RepeatingInvoices",
    "TaxRates": "TaxRates",
    "TrackingCategories": "TrackingCategories",
    "Users": "Users",
}


# Resource, difference, reason; `*` stands for anything. `+` only ours, `-` only the example's.
EXPLAINED = (
    ("*", "*.ValidationErrors", "an empty list that only some answers carry"),
    ("*", "*.DiscountEnteredAsPercent", "left from the request that made the example"),
    ("*", "+*.DiscountRate", "the example has no discount"),
    ("*", "+*.ItemCode", "the example has no item"),
    ("*", "+*LineItems.LineItemID", "older examples lack it, recordings have it"),
    ("*", "-*.AttentionTo", "nobody to the attention of"),
    ("*", "+*.AddressLine1", "the example has no address"),
    ("*", "+*Contact.DefaultCurrency", "the example has none"),
    ("*", "+*Contact.FirstName", "the example has none"),
    ("*", "+*Contact.LastName", "the example has none"),
    ("*", "+*Contact.IsCustomer", "older examples lack it"),
    ("*", "+*Contact.IsSupplier", "older examples lack it"),
    ("*", "+*TrackingCategories", "older examples lack these empty lists"),
    ("*", "+*.Reference", "the example has none"),
    ("Accounts", "+.Attachments", "the example has none"),
    ("Accounts", "+.HasAttachments", "newer than the example"),
    ("Accounts", "+.AddToWatchlist", "newer than the example"),
    ("Accounts", "+.BankAccount*", "the example is no bank account"),
    ("Accounts", "+.CurrencyCode", "the example is no bank account"),
    ("Accounts", "-.Description", "the specimen has none"),
    ("Accounts", "-.ReportingCodeName", "only organisations with reporting codes have it"),
    ("BankTransactions", "-.BatchPayment", "no batch of the sandbox is a bank transaction"),
    ("BrandingThemes", "+.Type", "in the specification, not in the example"),
    ("Contacts", "-.*TaxType", "no contact of the sandbox has default taxes"),
    ("Contacts", "-.*DefaultAccountCode", "no contact of the sandbox has default accounts"),
    ("Contacts", "-.*LineAmountType", "no contact of the sandbox has default kinds"),
    ("Contacts", "-.BatchPayments", "no contact of the sandbox has a bank account"),
    ("Contacts", "-.BrandingTheme", "no contact of the sandbox has its own theme"),
    ("Contacts", "-.CompanyNumber", "no contact of the sandbox has one"),
    ("Contacts", "-.ContactNumber", "no contact of the sandbox has one"),
    ("Contacts", "-.Discount", "no contact of the sandbox has one"),
    ("Contacts", "-.Website", "no contact of the sandbox has one"),
    ("CreditNotes", "+.DueDate*", "recordings have it"),
    ("CreditNotes", "+.FullyPaidOnDate", "the example is not used up; recordings have it"),
    ("CreditNotes", "+.HasErrors", "other examples of credit notes have it"),
    ("CreditNotes", "+.SentToContact", "other examples of credit notes have it"),
    ("Invoices", "-.StatusAttributeString", "only answers to writing have it"),
    ("Invoices", "+.AmountCredited", "this example lacks it, others and recordings have it"),
    ("Invoices", "+.CreditNotes", "this example lacks it, others and recordings have it"),
    ("Invoices", "+.RepeatingInvoiceID", "the example was not written by a template"),
    ("Invoices", "+.RoundingAmount", "newer than the example"),
    ("Invoices", "+.EnteredTotal", "newer than the example"),
    ("Invoices", "+.BrandingThemeID", "the example has none, recordings have it"),
    ("Items", "+.QuantityAvailable", "newer than the example"),
    ("Items", "+.QuantityOnBackOrder", "newer than the example"),
    ("ManualJournals", "+.Url", "the example has none"),
    ("*payments", "+.Allocations.AllocationID", "newer than the example"),
    ("*payments", "+.Allocations.IsDeleted", "newer than the example"),
    ("Payments", "~.BatchPayment.*", "Xero's specification corrects its example (#526)"),
    ("Payments", "+.Invoice.*", "the invoice is spelled as in a page, which has more"),
    ("RepeatingInvoices", "+.Attachments", "the example has none"),
    ("PurchaseOrders", "-.Delivery*", "no order of the sandbox says where to"),
    ("PurchaseOrders", "-.Telephone", "no order of the sandbox says where to"),
)
# Where the example's order is not that of the recorded answers, which we follow.
REORDERED = {("Invoices", ""), ("Payments", ".Invoice"), ("Contacts", ".Addresses")}


def shape_of(value: Any) -> Any:
    """What a JSON value is made of: keys and kinds; the elements of a list as one."""
    if isinstance(value, dict):
        return {key: shape_of(item) for key, item in value.items()}
    if isinstance(value, list):
        merged: dict[str, Any] = {}
        for item in value:
            if isinstance(item, dict):
                merged |= {k: v for k, v in shape_of(item).items() if merged.get(k) in (None, [])}
        return [merged] if merged else []
    if isinstance(value, bool):
        return "bool"
    return "number" if isinstance(value, int | float | Decimal) else "text"


def differences(ours: Any, theirs: Any, path: str = "") -> set[str]:
    """`+key` only ours, `-key` only theirs, `~key` another kind."""
    if isinstance(ours, list) and isinstance(theirs, list):
        return differences(ours[0], theirs[0], path) if ours and theirs else set()
    if not isinstance(ours, dict) or not isinstance(theirs, dict):
        return set() if type(ours) is type(theirs) and (ours == theirs) else {f"~{path}"}
    found = {f"+{path}.{key}" for key in ours.keys() - theirs.keys()}
    found |= {f"-{path}.{key}" for key in theirs.keys() - ours.keys()}
    for key in ours.keys() & theirs.keys():
        found |= differences(ours[key], theirs[key], f"{path}.{key}")
    return found


def disorder(ours: Any, theirs: Any, path: str = "") -> list[str]:
    """Objects whose common keys stand in another order."""
    if isinstance(ours, list) and isinstance(theirs, list) and ours and theirs:
        return disorder(ours[0], theirs[0], path)
    if not isinstance(ours, dict) or not isinstance(theirs, dict):
        return []
    common = [key for key in ours if key in theirs]
    found = [path] if common != [key for key in theirs if key in ours] else []
    for key in common:
        found += disorder(ours[key], theirs[key], f"{path}.{key}")
    return found


def example(folder: Path, resource: str) -> Any:
    path = folder / "openapi-examples" / f"get_{EXAMPLES[resource]}_200.json"
    found = json.loads(path.read_text(encoding="utf-8"))[resource]
    return shape_of(found)[0]


def on_the_wire(made: Specimens, resource: str, shape: Shape) -> Any:
    body = made.spelled(resource, shape)
    return json.loads(dump(body), parse_float=Decimal)


@pytest.mark.real_payloads
def test_every_record_has_the_keys_and_kinds_of_the_published_example(real_payloads: Path):
    made = complete()
    unused = set(EXPLAINED)
    for resource in EXAMPLES:
        ours = shape_of(on_the_wire(made, resource, Shape.ONE))
        found = differences(ours, example(real_payloads, resource))
        for row in EXPLAINED:
            matching = {
                each for each in found if fnmatch(resource, row[0]) and fnmatch(each, row[1])
            }
            if matching:
                unused.discard(row)
                found -= matching
        assert not found, (resource, found)
    assert not unused


@pytest.mark.real_payloads
def test_the_keys_of_every_record_stand_in_the_order_of_the_published_example(
    real_payloads: Path,
):
    made = complete()
    found = {
        (resource, path)
        for resource in EXAMPLES
        for path in disorder(
            shape_of(on_the_wire(made, resource, Shape.ONE)), example(real_payloads, resource)
        )
    }
    assert found == REORDERED


@pytest.mark.real_payloads
def test_an_invoice_of_a_page_has_the_keys_of_the_recorded_one_in_the_same_order(
    real_payloads: Path,
):
    path = real_payloads / "demo-company-nz-2020/demo-nz-2020-invoices-page1.json"
    recorded = json.loads(path.read_text(encoding="utf-8"))["Invoices"]
    theirs = shape_of([each for each in recorded if each["Type"] == "ACCREC"])[0]
    ours = shape_of(on_the_wire(complete(), "Invoices", Shape.PAGE))
    assert disorder(ours, theirs) == []
    assert differences(ours, theirs) == {
        # A tax of today, and a template: the rest is newer than the recording of 2020.
        "+.LineItems.DiscountRate",
        "+.RepeatingInvoiceID",
        "+.UpdatedDateUTCString",
    }
