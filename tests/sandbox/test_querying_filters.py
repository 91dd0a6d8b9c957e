"""What a list of each resource can be asked: filters of its own, `where`, `order`."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sandbox.asking import AT, BY_PATH, Given, Xero, found, guid, xero_of
from xero_sandbox.api.resources import RESOURCES
from xero_sandbox.wire.format import ms_date

ANA, BEN = "aaaaaaaa-0000-4000-8000-000000000000", "bbbbbbbb-0000-4000-8000-000000000000"


def test_ids_select_and_are_read_in_any_case_and_sent_twice() -> None:
    for path in ("Invoices", "Contacts", "Budgets"):
        xero = xero_of(path, [{}] * 4)
        wanted = f" {guid(3).upper()} , {guid(1)},not-a-guid,,"
        assert found(xero, path, IDs=wanted) == [1, 3]
        twice = xero.body(f"{path}?IDs={guid(0)}&ids={guid(2)}")
        assert len(twice[BY_PATH[path].key]) == 2
        assert found(xero, path, IDs=guid(9)) == []
    payments = xero_of("Payments", [{}] * 2)
    assert found(payments, "Payments", IDs=guid(0)) == [0, 1]


def test_invoices_are_selected_by_status_contact_number_and_words() -> None:
    xero = xero_of(
        "Invoices",
        [
            {
                "Status": "PAID",
                "InvoiceNumber": "INV-1",
                "Contact": {"ContactID": ANA, "Name": "Ana"},
            },
            {
                "Status": "DRAFT",
                "Reference": "Blue Inv",
                "Contact": {"ContactID": BEN, "Name": "B"},
            },
            {"Status": "VOIDED", "InvoiceNumber": "INV-3", "Contact": {"ContactID": ANA}},
        ],
    )
    assert found(xero, "Invoices", Statuses="paid, VOIDED") == [0, 2]
    assert found(xero, "Invoices", ContactIDs=ANA.upper()) == [0, 2]
    assert found(xero, "Invoices", InvoiceNumbers="INV-3,INV-1,INV-2") == [0, 2]
    assert found(xero, "Invoices", Statuses="PAID,DRAFT", ContactIDs=ANA) == [0]
    assert found(xero, "Invoices", searchTerm="inv") == [0, 1, 2]
    assert found(xero, "Invoices", searchTerm="BLUE") == [1]
    assert found(xero, "Invoices", searchTerm="ana") == [0]
    assert found(xero, "Invoices", createdByMyApp="true") == []
    assert found(xero, "Invoices", createdByMyApp="false") == [0, 1, 2]
    assert found(xero, "Invoices", References="Blue Inv") == [0, 1, 2]


def test_contacts_are_searched_by_name_number_and_address() -> None:
    names = ("Name", "FirstName", "LastName", "ContactNumber", "EmailAddress", "AccountNumber")
    xero = xero_of("Contacts", [{name: "xÄx"} for name in names])
    assert found(xero, "Contacts", searchTerm="ä") == [0, 1, 2, 3, 4]


def test_credits_and_money_are_selected_by_reference_and_number() -> None:
    records = [{"Reference": "one"}, {"Reference": "two", "InvoiceNumber": "P-2"}]
    for path in ("BankTransactions", "Overpayments", "Prepayments"):
        assert found(xero_of(path, records), path, References="TWO,three") == [1]
    assert found(xero_of("Prepayments", records), "Prepayments", InvoiceNumbers="P-2") == [1]


def test_purchase_orders_and_quotes_are_selected_by_status_and_days() -> None:
    days = [date(2026, 1, 1), date(2026, 1, 31), date(2026, 2, 1)]
    records = [
        {"Status": status, "Date": ms_date(day), "ExpiryDate": ms_date(day + timedelta(days=30))}
        for status, day in zip(("DRAFT", "SENT", "SENT"), days, strict=True)
    ]
    for path in ("PurchaseOrders", "Quotes"):
        xero = xero_of(path, records)
        assert found(xero, path, Status="SENT") == [1, 2]
        assert found(xero, path, DateFrom="2026-01-31") == [1, 2]
        assert found(xero, path, DateTo="2026-01-31T00:00:00") == [0, 1]
        assert found(xero, path, DateFrom="2026-01-02", DateTo="2026-01-31", Status="SENT") == [1]
    assert found(xero, "Quotes", ExpiryDateFrom="2026-03-02") == [1, 2]
    assert found(xero, "Quotes", ExpiryDateTo="2026-03-01") == [0]
    undated = xero_of("Quotes", [{}])
    assert found(undated, "Quotes", DateFrom="2026-01-01") == []
    refused = xero.get("/Quotes?DateFrom=31/01/2026")
    assert refused.status_code == 400
    assert refused.json()["Type"] == "QueryParseException"


def test_quotes_are_selected_by_contact_and_part_of_their_number() -> None:
    records = [
        {"QuoteNumber": "QU-0001", "Contact": {"ContactID": ANA}},
        {"QuoteNumber": "QU-0012", "Contact": {"ContactID": BEN}},
    ]
    xero = xero_of("Quotes", records)
    assert found(xero, "Quotes", QuoteNumber="qu-00") == [0, 1]
    assert found(xero, "Quotes", QuoteNumber="12") == [1]
    assert found(xero, "Quotes", ContactID=ANA) == [0]


def test_linked_transactions_are_selected_by_what_they_link() -> None:
    records = [
        {"SourceTransactionID": ANA, "ContactID": BEN, "Status": "APPROVED"},
        {"SourceTransactionID": BEN, "TargetTransactionID": ANA, "Status": "BILLED"},
    ]
    xero = xero_of("LinkedTransactions", records)
    assert found(xero, "LinkedTransactions", SourceTransactionID=ANA) == [0]
    assert found(xero, "LinkedTransactions", TargetTransactionID=ANA) == [1]
    assert found(xero, "LinkedTransactions", ContactID=BEN, Status="APPROVED") == [0]
    assert found(xero, "LinkedTransactions", LinkedTransactionID=guid(1)) == [1]


def test_a_filter_selects_before_pages_are_cut() -> None:
    records = [{"Total": Decimal(number), "Status": "PAID"} for number in range(10)]
    xero = xero_of("Invoices", records)
    params = {"where": 'Total>=4 AND Status=="PAID"', "page": "2", "pageSize": "4"}
    body = xero.body("Invoices", params)
    assert [record["Total"] for record in body["Invoices"]] == [8, 9]
    assert body["pagination"]["itemCount"] == 6
    since = f"{AT + timedelta(seconds=7):%Y-%m-%dT%H:%M:%S}"
    newer = xero.body("Invoices", {"where": "Total<9"}, If_Modified_Since=since)["Invoices"]
    assert [record["Total"] for record in newer] == [7, 8]


def test_filters_and_orders_are_read_exactly_where_xero_has_them() -> None:
    def reads(name: str) -> set[str]:
        answers = {
            each.path: xero_of(each.path, [{}]).get(f"/{each.path}?{name}=)") for each in RESOURCES
        }
        return {path for path, answer in answers.items() if answer.status_code == 400}

    neither = {"BrandingThemes", "Budgets", "LinkedTransactions", "Organisation"}
    every = {each.path for each in RESOURCES}
    assert reads("where") == every - neither - {"PurchaseOrders", "Quotes"}
    assert reads("order") == every - neither


def test_order_goes_by_several_fields_and_keeps_equal_ones_as_they_were() -> None:
    xero = xero_of(
        "Payments",
        [
            {"Amount": Decimal("2.50"), "Reference": "b", "Date": ms_date(date(2026, 5, 1))},
            {"Amount": Decimal(10), "Reference": "A", "Date": ms_date(date(1969, 5, 1))},
            {"Amount": Decimal("2.5"), "Reference": "a"},
            {"Amount": Decimal(-1), "Invoice": {"InvoiceNumber": "x"}},
        ],
    )
    for text, wanted in (
        ("Amount", [3, 0, 2, 1]),
        ("amount asc", [3, 0, 2, 1]),
        ("Amount DESC", [1, 0, 2, 3]),
        ("Amount ASC, Reference ASC", [3, 2, 0, 1]),
        ("Amount DESCENDING,PaymentID DESC", [1, 2, 0, 3]),
        ("Reference", [3, 1, 2, 0]),
        ("Date", [2, 3, 1, 0]),
        ("UpdatedDateUTC DESC", [3, 2, 1, 0]),
        ("Invoice.InvoiceNumber DESC", [3, 0, 1, 2]),
        ("  ", [0, 1, 2, 3]),
    ):
        assert found(xero, "Payments", order=text) == wanted, text
    unread = ("Amount UP", "Amount ASC ASC", "Amount,", ",", "1", "Amount;Date", "Amount\x00")
    unordered = ("NoSuchField", "Amount, Dat DESC", "Invoice", "Invoice.Payments", "Amount..x")
    for text in unread + unordered:
        refused = xero.get("/Payments", {}).request.url.copy_merge_params({"order": text})
        answer = xero.get(str(refused))
        assert (answer.status_code, answer.json()["ErrorNumber"]) == (400, 16), text


def test_accounts_tax_rates_and_themes_have_an_order_of_their_own() -> None:
    names = [{"Code": "200", "Name": "b"}, {"Code": "090", "Name": "c"}, {"Name": "A"}]
    assert found(xero_of("Accounts", names), "Accounts") == [2, 1, 0]
    assert found(xero_of("Accounts", names), "Accounts", order="Name") == [2, 0, 1]
    assert found(xero_of("TaxRates", names), "TaxRates") == [2, 0, 1]
    themes = [{"SortOrder": 2}, {"SortOrder": 10}, {"SortOrder": 0}]
    assert found(xero_of("BrandingThemes", themes), "BrandingThemes") == [2, 0, 1]


def test_default_order_is_by_change_then_id() -> None:
    same = ms_date(AT)
    records: list[dict[str, object]] = [
        {"PaymentID": guid(number), "UpdatedDateUTC": stamp}
        for number, stamp in ((5, same), (3, same), (9, ms_date(AT - timedelta(seconds=1))))
    ]
    assert found(Xero(Given(Payments=records)), "Payments") == [9, 3, 5]


KNOWN = sorted({name for each in RESOURCES for name in each.params} | {"page", "pageSize"})
RECORD: dict[str, Any] = {
    "Status": "PAID",
    "Total": Decimal("1.50"),
    "Date": ms_date(date(2026, 1, 31)),
    "Contact": {"ContactID": ANA, "Name": "Ana"},
    "Options": [],
}
ANYTHING = Xero(Given(**{each.key: [RECORD | {each.id_field: guid(1)}] for each in RESOURCES}))
VALUES = st.text(st.characters(codec="utf-8"), max_size=20) | st.sampled_from(
    ("true", "1", "-1", "2026-01-31", ANA, "PAID", "Date DESC", "Total>1", 'Status=="PAID"')
)


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(sorted(BY_PATH)),
    st.dictionaries(st.sampled_from(KNOWN), VALUES, max_size=4),
)
def test_any_query_is_answered_or_refused(path: str, query: dict[str, str]) -> None:
    url = httpx.URL(f"/{path}").copy_merge_params(query)
    answer = ANYTHING.get(str(url))
    assert (answer.status_code, answer.json().get("ErrorNumber")) in ((200, None), (400, 16))
