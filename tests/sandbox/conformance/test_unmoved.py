"""What the README lists as changing without UpdatedDateUTC does so, and moves what it says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from xero_sandbox.business.company import Company, build_company
from xero_sandbox.wire.shelving import RESOURCES

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class Office:
    """An organisation with one of each; every action comes a minute after the last."""

    def __init__(self) -> None:
        self.now = NOW
        traits = {"currencies": ["EUR"]}
        self.company: Company = build_company("Office", seed=3, days=0, now=NOW, traits=traits)
        self.company.advance(NOW)
        self.ann, self.bob = (
            self.act("create_contact", name=name)["ContactID"] for name in ("Ann", "Bob")
        )
        self.act("create_item", code="W", is_tracked=True)
        self.act("create_tracking_category", name="Region", options=["North"])
        line = {"unit_amount": 9, "quantity": 5, "account_code": "630", "item_code": "W"}
        self.act("create_invoice", type="ACCPAY", contact="Ann", lines=[line])
        tracked = {"unit_amount": 90, "tracking": ["North"]}
        self.invoice = self.act("create_invoice", contact="Ann", lines=[tracked])["InvoiceID"]
        self.unpaid = self.act("create_invoice", contact="Ann", amount=7)["InvoiceID"]
        self.payment = self.act("pay", id=self.invoice, amount=10)["PaymentID"]
        self.note = self.act("create_credit_note", contact="Ann", amount=10)["CreditNoteID"]
        self.act("allocate", id=self.note, invoice_id=self.invoice, amount=1)
        self.act("create_purchase_order", contact="Ann", amount=8)
        self.transfer = self.act("transfer", amount=5, from_code="090", to_code="091")[
            "BankTransferID"
        ]

    def act(self, action: str, **fields: Any) -> dict[str, Any]:
        self.now += timedelta(minutes=1)
        return dict(self.company.act(action, fields, now=self.now))

    def seen(self) -> dict[tuple[str, str], tuple[datetime, str]]:
        return {
            (resource, entry.record_id): (entry.updated_at, repr(entry.body()))
            for resource in RESOURCES
            for entry in self.company.entries(resource).ordered()
        }


Step = Callable[[Office], object]


def effect(step: Step) -> tuple[set[str], set[str]]:
    """The resources of which it moved a record, and of which it changed one that stayed."""
    office = Office()
    before = office.seen()
    step(office)
    after = office.seen()
    kept = before.keys() & after.keys()
    moved = {key for key in kept if before[key][0] != after[key][0]}
    stayed = {key for key in kept - moved if before[key][1] != after[key][1]}
    return {resource for resource, _ in moved}, {resource for resource, _ in stayed}


# What happens, which lists it moves a record of, and which it changes a record of that stays.
EFFECTS: dict[str, tuple[Step, set[str], set[str]]] = {
    "a new due date of a part-paid invoice": (
        lambda office: office.act("edit_invoice", id=office.invoice, due_date="2027-01-31"),
        set(),
        {"Invoices"},
    ),
    "a part-paid invoice was sent": (
        lambda office: office.act("edit_invoice", id=office.invoice, sent=True),
        set(),
        {"Invoices"},
    ),
    "a new due date of an unpaid invoice": (
        lambda office: office.act("edit_invoice", id=office.unpaid, due_date="2027-01-31"),
        {"Invoices"},
        set(),
    ),
    "lines moved to another account": (
        lambda office: office.act("recode", id=office.invoice, account_code="210"),
        set(),
        {"Invoices"},
    ),
    "a new number of an invoice": (
        lambda office: office.act("edit_invoice", id=office.invoice, number="X-1"),
        {"Invoices"},
        {"CreditNotes", "Payments"},
    ),
    "a first sale to a contact": (
        lambda office: office.act("create_invoice", contact="Bob", amount=3),
        set(),
        {"Contacts"},
    ),
    "a sale from stock": (
        lambda office: office.act(
            "create_invoice", contact="Ann", lines=[{"unit_amount": 9, "item_code": "W"}]
        ),
        set(),
        {"Contacts", "Items"},
    ),
    "a contact in a group": (
        lambda office: office.act("create_contact_group", name="Good", contacts=[office.bob]),
        set(),
        {"Contacts"},
    ),
    "a merged contact": (
        lambda office: office.act("merge_contact", id=office.ann, into=office.bob),
        {"Contacts", "CreditNotes", "Invoices", "PurchaseOrders"},
        {"Contacts", "Payments"},
    ),
    "a renamed contact": (
        lambda office: office.act("edit_contact", id=office.ann, name="Anna"),
        {"Contacts"},
        {"CreditNotes", "Invoices", "Payments", "PurchaseOrders"},
    ),
    "a renamed bank account": (
        lambda office: office.act("edit_account", code="090", name="Till"),
        {"Accounts"},
        {"BankTransactions", "BankTransfers"},
    ),
    "a new account code": (
        lambda office: office.act("edit_account", code="200", new_code="201"),
        {"Accounts"},
        {"CreditNotes", "Invoices", "Items"},
    ),
    "a renamed option": (
        lambda office: office.act("rename_option", option="North", name="Top"),
        set(),
        {"Invoices", "TrackingCategories"},
    ),
    "an attachment": (
        lambda office: office.act("attach", id=office.unpaid, file_name="a.png"),
        set(),
        {"Invoices"},
    ),
    "a note in the history": (
        lambda office: office.act("add_note", id=office.unpaid, details="Called."),
        set(),
        set(),
    ),
    "a deleted transfer": (
        lambda office: office.act("delete_transfer", id=office.transfer),
        {"BankTransactions"},
        {"BankTransfers"},
    ),
    "a payment": (
        lambda office: office.act("pay", id=office.unpaid, amount=1),
        {"Invoices"},
        {"Contacts"},
    ),
    "a payment taken back": (
        lambda office: office.act("delete_payment", id=office.payment),
        {"Invoices", "Payments"},
        {"Contacts"},
    ),
    "credit applied": (
        lambda office: office.act("allocate", id=office.note, invoice_id=office.unpaid, amount=1),
        {"CreditNotes", "Invoices"},
        set(),
    ),
}


@pytest.mark.parametrize("name", EFFECTS)
def test_only_these_lists_have_a_moved_record_or_a_silently_changed_one(name: str) -> None:
    step, moved, stayed = EFFECTS[name]
    assert effect(step) == (moved, stayed)


def test_resources_without_the_stamp_are_the_named_ones() -> None:
    given = {"features": ["all"], "size": "small"}
    company = build_company("Whole", seed=3, days=200, now=NOW, traits=given)
    company.advance(NOW)
    assert {
        resource
        for resource in RESOURCES
        if not any("UpdatedDateUTC" in record for record in company.records(resource))
    } == {
        "BankTransfers",
        "BrandingThemes",
        "ContactGroups",
        "Currencies",
        "Organisations",
        "RepeatingInvoices",
        "TaxRates",
        "TrackingCategories",
    }
