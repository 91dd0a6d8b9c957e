"""How much of a record is sent where, what is shown without a bump, and what is kept of it."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from tests.sandbox.specimens import AT, DUE, ON, Specimens, complete, guid
from xero_sandbox.books.countries import COUNTRIES
from xero_sandbox.books.documents import BankTransaction, Contact
from xero_sandbox.books.paper_records import Item
from xero_sandbox.wire.format import dump, element, ms_date
from xero_sandbox.wire.records import Shape
from xero_sandbox.wire.shelving import RESOURCES


@pytest.fixture
def made() -> Specimens:
    return Specimens()


def test_every_shelf_spells_its_records_in_every_shape():
    everything = complete()
    for resource in RESOURCES:
        entries = everything.shelving.shelves[resource].ordered()
        assert entries, resource
        for entry in entries:
            for shape in Shape:
                assert json.loads(element(entry.body(shape)), parse_float=Decimal)


def test_a_payment_is_sent_in_exactly_these_bytes(made: Specimens):
    invoice = made.document("ACCREC", lines=(made.line(price=Decimal("10.00")),))
    payment = made.payment(invoice)
    made.shelving.payment(payment)
    sent = made.shelving.shelves["Payments"].ordered()[0].sent()
    assert sent.decode().split("\r\n") == [
        "{",
        f'      "PaymentID": "{payment.payment_id}",',
        '      "Date": "\\/Date(1773878400000+0000)\\/",',
        '      "BankAmount": 20.70,',
        '      "Amount": 20.70,',
        '      "Reference": "Paid",',
        '      "CurrencyRate": 1.000000,',
        '      "PaymentType": "ACCRECPAYMENT",',
        '      "Status": "AUTHORISED",',
        '      "UpdatedDateUTC": "\\/Date(1773888251967+0000)\\/",',
        '      "UpdatedDateUTCString": "2026-03-19T02:44:11Z",',
        '      "HasAccount": true,',
        '      "IsReconciled": false,',
        '      "Account": {',
        f'        "AccountID": "{payment.account.account_id}",',
        '        "Code": "090"',
        "      },",
        '      "Invoice": {',
        '        "Type": "ACCREC",',
        f'        "InvoiceID": "{invoice.document_id}",',
        '        "InvoiceNumber": "INV-0001",',
        '        "Payments": [],',
        '        "CreditNotes": [],',
        '        "Prepayments": [],',
        '        "Overpayments": [],',
        '        "HasErrors": false,',
        '        "IsDiscounted": false,',
        '        "Contact": {',
        f'          "ContactID": "{made.contact.contact_id}",',
        '          "Name": "Ngā Pou Ltd 🌙",',
        '          "Addresses": [],',
        '          "Phones": [],',
        '          "ContactGroups": [],',
        '          "ContactPersons": [],',
        '          "HasValidationErrors": false',
        "        },",
        '        "LineItems": [],',
        '        "CurrencyCode": "NZD"',
        "      },",
        '      "HasValidationErrors": false',
        "    }",
    ]


def test_lines_stand_in_pages_and_by_id_and_not_in_unpaged_lists():
    everything = complete()
    for resource in ("Invoices", "CreditNotes", "Prepayments", "Overpayments", "BankTransactions"):
        lines = {shape: len(everything.spelled(resource, shape)["LineItems"]) for shape in Shape}
        assert lines == {shape: 0 if shape.is_light else 1 for shape in Shape}
        contact = everything.spelled(resource, Shape.PAGE)["Contact"]
        assert "ContactStatus" not in contact
        assert everything.spelled(resource, Shape.ONE)["Contact"]["ContactStatus"] == "ACTIVE"
    assert everything.spelled("ManualJournals", Shape.LIST)["JournalLines"] == []
    assert len(everything.spelled("ManualJournals", Shape.PAGE)["JournalLines"]) == 2
    for resource in ("Quotes", "PurchaseOrders", "RepeatingInvoices"):
        assert everything.spelled(resource, Shape.LIST)["LineItems"] or resource != "Quotes"
        assert everything.spelled(resource, Shape.PAGE)["LineItems"]


def test_unit_prices_have_four_decimals_only_where_asked_for():
    everything = complete()
    for resource in ("Invoices", "Quotes"):
        prices = {
            shape: str(everything.spelled(resource, shape)["LineItems"][0]["UnitAmount"])
            for shape in (Shape.PAGE, Shape.PAGE4, Shape.ONE, Shape.ONE4)
        }
        assert prices == {
            Shape.PAGE: "20.12",
            Shape.PAGE4: "20.1234",
            Shape.ONE: "20.12",
            Shape.ONE4: "20.1234",
        }


def test_rounding_and_entered_total_stand_in_an_invoice_by_id_alone():
    everything = complete()
    for shape in Shape:
        body = everything.spelled("Invoices", shape)
        assert ("RoundingAmount" in body) == ("EnteredTotal" in body) == shape.is_one


def test_an_invoice_holds_each_credit_in_the_array_of_its_kind():
    body = complete().spelled("Invoices", Shape.PAGE)
    for kind, id_field in (
        ("CreditNotes", "CreditNoteID"),
        ("Prepayments", "PrepaymentID"),
        ("Overpayments", "OverpaymentID"),
    ):
        [credit] = body[kind]
        assert credit[id_field] == credit["ID"]
        assert credit["AppliedAmount"] == Decimal("1.00")
        assert ("CreditNoteNumber" in credit) == (kind == "CreditNotes")
    assert body["AmountCredited"] == Decimal("3.00")


def test_a_credit_inside_an_invoice_is_dated_otherwise_in_a_list_than_by_id():
    everything = complete()
    [listed] = everything.spelled("Invoices", Shape.PAGE)["CreditNotes"]
    [shown] = everything.spelled("Invoices", Shape.ONE)["CreditNotes"]
    assert (listed["Date"], shown["Date"]) == (ms_date(ON), ms_date(DUE))
    [allocation] = everything.spelled("CreditNotes", Shape.PAGE)["Allocations"]
    assert allocation["Date"] == ms_date(DUE)


def test_tracking_names_its_option_by_id_only_where_the_document_was_asked_for_by_id():
    everything = complete()
    for shape in (Shape.PAGE, Shape.ONE):
        [tracked] = everything.spelled("Invoices", shape)["LineItems"][0]["Tracking"]
        assert ("TrackingOptionID" in tracked) == shape.is_one
        assert (tracked["Name"], tracked["Option"]) == ("Region", "North")


def test_a_refund_names_the_credit_it_belongs_to(made: Specimens):
    kinds = {
        "ACCRECCREDIT": ("CreditNote", "ARCREDITPAYMENT"),
        "SPEND-PREPAYMENT": ("Prepayment", "APPREPAYMENTPAYMENT"),
        "RECEIVE-OVERPAYMENT": ("Overpayment", "AROVERPAYMENTPAYMENT"),
    }
    for kind, (name, payment_type) in kinds.items():
        refund = made.payment(made.document(kind, "CN-0009"))
        made.shelving.payment(refund)
        entry = made.shelving.shelves["Payments"].get(refund.payment_id)
        assert entry is not None
        body = entry.body()
        assert body["PaymentType"] == payment_type
        assert body[name][f"{name}ID"] == refund.document.document_id
        assert "Invoice" not in body


def test_a_transfer_has_no_update_stamp_and_its_legs_no_contact(made: Specimens):
    transfer = made.bank_transfer()
    made.shelving.bank_transfer(transfer)
    entry = made.shelving.shelves["BankTransfers"].ordered()[0]
    assert "UpdatedDateUTC" not in entry.body()
    assert entry.updated_at == AT
    leg = transfer.from_leg
    assert isinstance(leg, BankTransaction)
    made.shelving.bank_transaction(leg)
    assert "Contact" not in made.spelled("BankTransactions", Shape.PAGE)


def test_a_quote_shouts_its_kind_and_its_dates_have_no_offset():
    body = complete().spelled("Quotes", Shape.PAGE)
    assert body["LineAmountTypes"] == "EXCLUSIVE"
    assert {body[key].endswith("000)/") for key in ("Date", "ExpiryDate")} == {True}
    assert body["TotalDiscount"] == Decimal("4.03")


def test_an_item_without_stock_has_no_quantities(made: Specimens):
    made.shelving.item(Item(guid(), "X", "Plain", AT))
    body = made.spelled("Items", Shape.PAGE)
    assert body["IsTrackedAsInventory"] is body["IsSold"] is body["IsPurchased"] is False
    assert body["SalesDetails"] == body["PurchaseDetails"] == {}
    assert not {"QuantityOnHand", "TotalCostPool", "InventoryAssetAccountCode"} & body.keys()


def test_details_of_a_contact_stand_in_pages_and_by_id():
    everything = complete()
    for shape in Shape:
        body = everything.spelled("Contacts", shape)
        has_details = not shape.is_light
        assert ("Balances" in body) == ("PaymentTerms" in body) == has_details
        assert bool(body.get("ContactPersons")) == has_details
    assert "Phones" not in everything.spelled("Contacts", Shape.SUMMARY)
    assert everything.spelled("Contacts", Shape.PAGE)["Balances"]["AccountsReceivable"] == {
        "Outstanding": Decimal("41.65"),
        "Overdue": Decimal("41.65"),
    }


def test_a_merged_contact_says_into_which(made: Specimens):
    made.contact.merged_to, made.contact.status = guid(), "ARCHIVED"
    made.shelving.contact(made.contact)
    assert made.spelled("Contacts", Shape.PAGE)["MergedToContactID"] == made.contact.merged_to
    assert "MergedToContactID" not in made.spelled("Contacts", Shape.LIST)


def test_members_of_a_group_are_shown_by_id_alone_and_members_show_the_group(made: Specimens):
    made.shelving.contact(made.contact)
    group = made.contact_group()
    made.shelving.contact_group(group)
    assert made.spelled("ContactGroups", Shape.LIST)["Contacts"] == []
    [member] = made.spelled("ContactGroups", Shape.ONE)["Contacts"]
    assert member["ContactID"] == made.contact.contact_id
    [shown] = made.spelled("Contacts", Shape.PAGE)["ContactGroups"]
    assert (shown["Name"], shown["Contacts"]) == ("Oasis", [])
    group.contacts.clear()
    made.shelving.contact_group(group)
    assert made.spelled("Contacts", Shape.PAGE)["ContactGroups"] == []


def test_nothing_is_ever_sent_as_minus_zero_or_with_an_exponent(made: Specimens):
    amounts = [Decimal("-0.00"), Decimal("0E-10"), Decimal("1E+3"), Decimal("-1E-7")]
    assert dump(amounts).decode().split("\r\n")[1:-1] == [
        "  0.00,",
        "  0.0000000000,",
        "  1000,",
        "  -0.0000001",
    ]


def test_settings_of_a_country_are_shelved_with_their_codes(made: Specimens):
    made.shelving.settings(COUNTRIES["GB"], ("GBP", "EUR"))
    currencies = [entry.body() for entry in made.shelving.shelves["Currencies"].ordered()]
    assert [list(each) for each in currencies] == [["Code", "Description"]] * 2
    assert all(
        entry.body()["TaxType"] == entry.record_id
        for entry in made.shelving.shelves["TaxRates"].ordered()
    )


def test_a_contact_with_little_known_about_it_has_its_empty_fields_left_out(made: Specimens):
    made.shelving.contact(Contact(guid(), "Plain", AT, AT))
    body = made.spelled("Contacts", Shape.ONE)
    assert not {"FirstName", "TaxNumber", "AccountNumber", "Balances", "PaymentTerms"} & body.keys()
    assert body["ContactPersons"] == body["ContactGroups"] == []
