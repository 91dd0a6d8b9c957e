"""What is refused in an organisation of very many documents, and what is not."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.sandbox.asking import Given, Xero
from tests.sandbox.conftest import App
from xero_sandbox.api.resources import RESOURCES

WATCHED = {
    "BankTransactions", "Contacts", "CreditNotes", "Invoices", "ManualJournals", "Payments",
    "PurchaseOrders",
}  # fmt: skip


@pytest.fixture(scope="module")
def large() -> Xero:
    """An organisation with three records of everything, where more than two are very many."""
    return Xero(organisation(), high_volume=2)


def organisation() -> Given:
    return Given(
        **{
            each.key: [
                {each.id_field: f"{number}", "Status": "PAID", "Total": Decimal(number)}
                for number in range(3)
            ]
            for each in RESOURCES
        }
    )


def is_refused(xero: Xero, url: str, **headers: str) -> bool:
    answer = xero.get(f"/{url}", {key.replace("_", "-"): value for key, value in headers.items()})
    if answer.status_code == 200:
        return False
    assert answer.status_code == 400
    body = answer.json()
    assert (body["ErrorNumber"], body["Type"]) == (51, "HighVolumeException")
    assert "given the extremely high volume for this organisation" in body["Message"]
    return True


def test_unpaged_lists_of_very_many_documents_are_refused(large: Xero) -> None:
    refused = {each.path for each in RESOURCES if is_refused(large, each.path)}
    # Purchase orders are always paged.
    assert refused == WATCHED - {"PurchaseOrders"}
    assert not any(is_refused(large, f"{path}?page=1") for path in WATCHED)


def test_as_many_documents_as_the_threshold_are_not_too_many() -> None:
    exact = Xero(organisation(), high_volume=3)
    assert not any(is_refused(exact, each.path) for each in RESOURCES)


@pytest.mark.parametrize(
    "query",
    ["IDs=1", "Statuses=PAID", "ContactIDs=1", "InvoiceNumbers=1", "searchTerm=x", "pageSize=5"],
)
def test_a_list_of_named_invoices_is_allowed(large: Xero, query: str) -> None:
    assert not is_refused(large, f"Invoices?{query}")


def test_a_list_of_what_changed_is_allowed(large: Xero) -> None:
    assert not is_refused(large, "Invoices", If_Modified_Since="2026-01-01T00:00:00")
    assert is_refused(large, "Invoices", If_Modified_Since="whenever")


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("Invoices", 'Status=="PAID"'),
        ("Invoices", 'Type="ACCREC" AND Date>=DateTime(2026,1,1) AND Date<DateTime(2026,2,1)'),
        ("Invoices", "AmountDue>0 AND AmountPaid<=5 && DueDate<=DateTime(2026,1,1)"),
        ("Invoices", 'Contact.ContactID==Guid("a0000000-0000-4000-8000-00000000000a")'),
        ("Invoices", 'contact.name=="x" AND reference=="y" AND invoicenumber=="z"'),
        ("Payments", 'PaymentType=="ACCRECPAYMENT" AND Date>DateTime(2026,1,1)'),
        ("BankTransactions", 'Type=="SPEND"'),
        ("Contacts", 'EmailAddress=="x"'),
    ],
)
def test_a_page_filtered_by_optimised_fields_is_allowed(large: Xero, path: str, where: str) -> None:
    assert not is_refused(large, f"{path}?page=1&where={where.replace('&', '%26')}")
    # A filter alone is not enough.
    assert is_refused(large, f"{path}?where={where.replace('&', '%26')}")


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("Invoices", "Total>0"),
        ("Invoices", 'Status!="PAID"'),
        ("Invoices", 'Status=="PAID" OR Status=="DRAFT"'),
        ("Invoices", 'NOT Status=="PAID"'),
        ("Invoices", 'Reference.Contains("x")'),
        ("Invoices", "UpdatedDateUTC>DateTime(2026,1,1)"),
        ("Invoices", "Date!=DateTime(2026,1,1)"),
        ("Invoices", 'Status=="PAID" AND Total==1'),
        ("Payments", "IsReconciled==true"),
        ("Contacts", "IsSupplier==true OR (IsSupplier==false AND IsCustomer==false)"),
        ("BankTransactions", "IsReconciled"),
    ],
)
def test_a_page_filtered_by_anything_else_is_refused(large: Xero, path: str, where: str) -> None:
    assert is_refused(large, f"{path}?page=1&where={where}")


def test_a_page_is_ordered_by_optimised_fields_alone(large: Xero) -> None:
    for path, order, wanted in (
        ("Invoices", "Date DESC, InvoiceID", False),
        ("Invoices", "UpdatedDateUTC", False),
        ("Invoices", "Total", True),
        ("Contacts", "Name", False),
        ("Contacts", "FirstName", True),
        ("PurchaseOrders", "Date", False),
        ("PurchaseOrders", "PurchaseOrderNumber", True),
        ("Accounts", "Name", False),
    ):
        assert is_refused(large, f"{path}?page=1&order={order}") is wanted, (path, order)


def test_a_filter_that_cannot_be_read_is_refused_for_that(large: Xero) -> None:
    assert large.get("/Invoices?where=)").json()["Type"] == "QueryParseException"


def test_the_threshold_is_set_at_the_control_door(app: App, tiny: str) -> None:
    document = {"tenantId": tiny, "action": "create_contact", "name": "Only one"}
    app.sandbox.control("POST", "documents", document)
    tokens = app.connect(organisations=[tiny])
    assert app.read(tokens, "Contacts", tiny).status_code == 200
    app.sandbox.control("POST", "limits", {"high_volume": 0})
    refused = app.read(tokens, "Contacts", tiny)
    assert (refused.status_code, refused.json()["ErrorNumber"]) == (400, 51)
    assert app.read(tokens, "Contacts?page=1", tiny).status_code == 200


def test_a_parameter_that_the_resource_does_not_know_narrows_nothing(large: Xero) -> None:
    for path, query in (("Payments", "IDs=1"), ("BankTransactions", "Statuses=PAID")):
        assert is_refused(large, f"{path}?{query}")
