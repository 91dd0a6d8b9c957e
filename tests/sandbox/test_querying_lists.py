"""How a list of each resource is sent: pages, shapes, what is hidden, since when, by id."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.sandbox.asking import AT, BY_PATH, Given, Xero, found, guid, xero_of
from xero_sandbox.api.resources import RESOURCES, Pages, Since

SIZED = [each.path for each in RESOURCES if each.pages in (Pages.SIZED, Pages.ALWAYS)]
FIXED = [each.path for each in RESOURCES if each.pages in (Pages.FIXED, Pages.ALWAYS_FIXED)]
UNPAGED = [each.path for each in RESOURCES if each.pages is Pages.NONE]


@pytest.mark.parametrize("path", SIZED)
def test_pages_of_any_size_up_to_1000_come_with_their_numbers(path: str) -> None:
    xero = xero_of(path, [{}] * 7)
    assert found(xero, path, page="2", pageSize="3") == [3, 4, 5]
    body = xero.body(path, {"page": "3", "pageSize": "3"})
    assert body["pagination"] == {"page": 3, "pageSize": 3, "pageCount": 3, "itemCount": 7}
    for beyond in ("4", "9" * 5_000):
        assert found(xero, path, page=beyond, pageSize="3") == []
    assert found(xero, path, PAGE="1", pagesize="2") == [0, 1]
    sizes = {"0": 1, "-5": 1, "1001": 1000, "9" * 5_000: 1000, f"-{'9' * 5_000}": 1, "": 100}
    for size, clamped in sizes.items():
        body = xero.body(path, {"page": "1", "pageSize": size})
        assert body["pagination"]["pageSize"] == clamped


@pytest.mark.parametrize("path", FIXED)
def test_pages_of_a_hundred_come_without_their_numbers(path: str) -> None:
    xero = xero_of(path, [{}] * 150)
    body = xero.body(path, {"page": "2", "pageSize": "7"})
    assert "pagination" not in body
    assert len(body[BY_PATH[path].key]) == 50


@pytest.mark.parametrize("path", UNPAGED)
def test_a_list_without_pages_ignores_that_one_is_asked_for(path: str) -> None:
    body = xero_of(path, [{}] * 3).body(path, {"page": "2", "pageSize": "1"})
    assert "pagination" not in body
    assert len(body[BY_PATH[path].key]) == 3


def test_purchase_orders_and_linked_transactions_are_always_paged() -> None:
    body = xero_of("PurchaseOrders", [{}] * 101).body("PurchaseOrders")
    assert body["pagination"]["itemCount"] == 101
    assert len(body["PurchaseOrders"]) == 100
    assert len(found(xero_of("LinkedTransactions", [{}] * 101), "LinkedTransactions")) == 100
    assert len(found(xero_of("Quotes", [{}] * 101), "Quotes")) == 101


def test_statuses_and_summaries_of_invoices_turn_paging_on() -> None:
    xero = xero_of("Invoices", [{"Status": "PAID"}] * 101)
    for params in ({"Statuses": "PAID"}, {"summaryOnly": "true"}, {"STATUSES": "draft,paid"}):
        assert len(found(xero, "Invoices", **params)) == 100
    for params in ({"summaryOnly": "false"}, {"Statuses": ""}, {"Status": "PAID"}):
        assert len(found(xero, "Invoices", **params)) == 101


@pytest.mark.parametrize("path", [resource.path for resource in RESOURCES])
def test_if_modified_since_is_honoured_exactly_where_xero_has_it(path: str) -> None:
    resource = BY_PATH[path]
    xero = xero_of(path, [{}, {}, {}])
    # The second record changed half a second after this: whole seconds count, and are included.
    since = f"{AT + timedelta(seconds=1):%Y-%m-%dT%H:%M:%S}"
    sent = [
        int(record[resource.id_field][:8], 16)
        for record in xero.body(path, If_Modified_Since=since)[resource.key]
    ]
    assert sent == ([0, 1, 2] if resource.since is Since.IGNORED else [1, 2])
    later = xero.get(f"/{path}", {"If-Modified-Since": "Sun, 01 Mar 2026 12:00:03 GMT"})
    assert later.status_code == 200
    assert bool(later.json()[resource.key]) == (resource.since is Since.IGNORED)


def test_the_resources_without_if_modified_since_are_those_of_the_published_api() -> None:
    assert {each.path for each in RESOURCES if each.since is Since.IGNORED} == {
        "BrandingThemes", "Budgets", "ContactGroups", "Currencies", "LinkedTransactions",
        "Organisation", "RepeatingInvoices", "TaxRates", "TrackingCategories",
    }  # fmt: skip
    assert [each.path for each in RESOURCES if each.since is Since.CREATED] == ["BankTransfers"]


def test_lines_are_left_out_of_unpaged_lists_exactly_where_xero_leaves_them_out() -> None:
    def shape(path: str, **params: str) -> str:
        [record] = xero_of(path, [{}]).body(path, params)[BY_PATH[path].key]
        return str(record["Shape"])

    light = {each.path for each in RESOURCES if shape(each.path) == "list"}
    assert light == {
        "BankTransactions", "Budgets", "ContactGroups", "Contacts", "CreditNotes", "Invoices",
        "ManualJournals", "Overpayments", "Prepayments",
    }  # fmt: skip
    assert {shape(path, page="1") for path in light} == {"list", "page"}
    assert {path for path in light if shape(path, page="1") == "list"} == {
        "Budgets",
        "ContactGroups",
    }
    assert shape("Invoices", IDs=guid(0)) == shape("Contacts", IDs=guid(0)) == "page"
    assert (
        shape("Invoices", summaryOnly="True") == shape("Contacts", summaryOnly="true") == "summary"
    )
    assert shape("CreditNotes", page="1", summaryOnly="true") == "page"


def test_prices_have_four_decimals_where_the_resource_knows_unitdp() -> None:
    for path in ("Invoices", "CreditNotes", "BankTransactions", "Items", "Overpayments"):
        xero, key = xero_of(path, [{}]), BY_PATH[path].key
        assert xero.body(path, {"unitdp": "4", "page": "1"})[key][0]["Shape"] == "page4"
        assert xero.body(path, {"unitdp": "3", "page": "1"})[key][0]["Shape"] == "page"
        assert xero.body(f"{path}/{guid(0)}", {"unitdp": "4"})[key][0]["Shape"] == "one4"
        assert xero.body(f"{path}/{guid(0)}")[key][0]["Shape"] == "one"
    quotes = xero_of("Quotes", [{}])
    assert quotes.body("Quotes", {"unitdp": "4"})["Quotes"][0]["Shape"] == "page"
    notes = xero_of("CreditNotes", [{}])
    assert notes.body("CreditNotes", {"IDs": guid(0)})["CreditNotes"][0]["Shape"] == "list"


def test_archived_and_deleted_records_are_hidden_where_xero_hides_them() -> None:
    contacts = xero_of("Contacts", [{"ContactStatus": "ARCHIVED"}, {"ContactStatus": "ACTIVE"}])
    assert found(contacts, "Contacts") == [1]
    assert found(contacts, "Contacts", includeArchived="True") == [0, 1]
    assert found(contacts, "Contacts", includeArchived="false") == [1]
    assert found(contacts, "Contacts", IDs=guid(0)) == [0]
    assert found(contacts, "Contacts", where='ContactStatus=="ARCHIVED"') == []
    transfers = xero_of("BankTransfers", [{"Status": "AUTHORISED"}, {"Status": "DELETED"}])
    assert found(transfers, "BankTransfers") == [0]
    assert found(transfers, "BankTransfers", includeDeleted="true") == [0, 1]
    groups = xero_of("ContactGroups", [{"Status": "DELETED"}, {"Status": "ACTIVE"}])
    assert found(groups, "ContactGroups") == [1]
    for path in ("Accounts", "Invoices", "Payments", "TaxRates"):
        shown = xero_of(path, [{"Status": "DELETED"}, {"Status": "ARCHIVED"}])
        assert found(shown, path) == [0, 1]


def test_archived_options_are_hidden_with_archived_categories() -> None:
    options = [{"Name": "North", "Status": "ACTIVE"}, {"Name": "South", "Status": "ARCHIVED"}]
    archived: dict[str, Any] = {"Status": "ARCHIVED", "Options": []}
    xero = xero_of("TrackingCategories", [{"Status": "ACTIVE", "Options": options}, archived])
    [shown] = xero.body("TrackingCategories")["TrackingCategories"]
    assert [each["Name"] for each in shown["Options"]] == ["North"]
    everything = xero.body("TrackingCategories", {"includeArchived": "true"})["TrackingCategories"]
    assert [len(each["Options"]) for each in everything] == [2, 0]


@pytest.mark.parametrize("path", [each.path for each in RESOURCES if each.is_by_id])
def test_a_record_is_found_by_its_id_in_any_case_and_by_its_other_names(path: str) -> None:
    resource = BY_PATH[path]
    xero = xero_of(path, [dict.fromkeys(resource.names, "No. 1"), {}])
    for asked in (guid(0), guid(0).upper(), *("No. 1" for _ in resource.names)):
        body = xero.body(f"{path}/{asked}")
        assert [record[resource.id_field] for record in body[resource.key]] == [guid(0)]
        assert "pagination" not in body
    assert xero.get(f"/{path}/no-such-thing").status_code == 404
    assert xero.body(f"{path.upper()}/{guid(1)}")[resource.key]


def test_the_other_names_of_records_are_those_of_the_published_api() -> None:
    assert {each.path: each.names for each in RESOURCES if each.names} == {
        "Contacts": ("ContactNumber",),
        "CreditNotes": ("CreditNoteNumber",),
        "Invoices": ("InvoiceNumber",),
        "Items": ("Code",),
        "PurchaseOrders": ("PurchaseOrderNumber",),
    }


def test_reports_get_every_parameter_under_its_published_name() -> None:
    organisation = Given()
    xero = Xero(organisation)
    query = "FROMDATE=2026-01-01&contactid=x&trackingOptionID1=y&Something=z&date=a&date=b"
    assert xero.body(f"Reports/ProfitAndLoss?{query}")["Reports"] == [{"ReportID": "ProfitAndLoss"}]
    assert organisation.asked == [
        (
            "ProfitAndLoss",
            {
                "fromDate": "2026-01-01",
                "contactId": "x",
                "trackingOptionID1": "y",
                "something": "z",
                "date": "a,b",
            },
        )
    ]
    assert xero.body("Reports")["Reports"] == []
    for name in ("NoSuchReport", guid(1), "BankStatement"):
        assert xero.get(f"/Reports/{name}").status_code == 404
