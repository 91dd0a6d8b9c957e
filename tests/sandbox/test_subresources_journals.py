"""The Journals feed: its cursor, its pages, both bases, one journal alone."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.sandbox.asking import NOW, Xero
from xero_sandbox.books.ledger import Journal
from xero_sandbox.business.company import Company, build_company
from xero_sandbox.wire.spelling_journals import JournalBook

NOWHERE = "11111111-1111-4111-8111-111111111111"


@pytest.fixture(scope="module")
def company() -> Company:
    traits = {"features": ["all"], "currencies": ["EUR"]}
    made = build_company("Journals Ltd", seed=9, days=90, now=NOW, traits=traits)
    made.advance(NOW)
    return made


@pytest.fixture(scope="module")
def xero(company: Company) -> Xero:
    return Xero(company)


def walk(xero: Xero, **params: str) -> list[list[dict[str, Any]]]:
    """Every page until an empty one."""
    pages, offset = [], 0
    while page := xero.body("Journals", {"offset": str(offset), **params})["Journals"]:
        pages.append(page)
        offset = page[-1]["JournalNumber"]
    return pages


def test_a_walk_by_offset_meets_every_journal_once_in_ascending_order(xero, company):
    pages = walk(xero)
    numbers = [journal["JournalNumber"] for page in pages for journal in page]
    assert numbers == [journal.number for journal in company.books.ledger.journals]
    assert numbers == sorted(set(numbers))
    assert max(len(page) for page in pages) <= 100


def test_a_page_spans_a_hundred_numbers_so_that_gaps_make_it_short(company, monkeypatch):
    ledger = company.books.ledger
    sparse = [journal for journal in ledger.journals if journal.number % 10]
    monkeypatch.setattr(ledger, "journals", sparse)
    pages = walk(Xero(company))
    assert all(len(page) < 100 for page in pages)
    assert sum(len(page) for page in pages) == len(sparse)


def test_every_journal_sums_to_zero_and_says_what_it_is(xero: Xero):
    for page in walk(xero):
        for journal in page:
            lines = journal["JournalLines"]
            assert sum(line["NetAmount"] for line in lines) == 0
            assert ("SourceID" in journal) == ("SourceType" in journal)
            for line in lines:
                assert line["GrossAmount"] == line["NetAmount"] + line["TaxAmount"]
                assert line["AccountCode"] is not None
    known = {journal.get("SourceType") for page in walk(xero) for journal in page}
    assert {"ACCREC", "ACCPAY", "ACCRECPAYMENT", "CASHPAID", None} <= known


def test_cash_basis_is_another_set_of_journals_with_ids_of_its_own(xero: Xero):
    accrual = [journal for page in walk(xero) for journal in page]
    cash = [journal for page in walk(xero, paymentsOnly="true") for journal in page]
    assert cash
    assert {j["JournalID"] for j in cash}.isdisjoint(j["JournalID"] for j in accrual)
    assert len(cash) != len(accrual)


def test_a_journal_is_found_by_id_and_by_number_and_does_not_tell_its_source_there(xero: Xero):
    for params in ({}, {"paymentsOnly": "true"}):
        journal = xero.body("Journals", params)["Journals"][5]
        [by_id] = xero.body(f"Journals/{journal['JournalID'].upper()}")["Journals"]
        assert "SourceID" not in by_id
        assert "SourceType" not in by_id
        assert by_id["JournalID"] == journal["JournalID"]
        assert [line["JournalLineID"] for line in by_id["JournalLines"]] == [
            line["JournalLineID"] for line in journal["JournalLines"]
        ]
        assert all("TaxType" in line and "TaxName" in line for line in by_id["JournalLines"])
    journal = xero.body("Journals")["Journals"][5]
    [by_number] = xero.body(f"Journals/{journal['JournalNumber']}")["Journals"]
    assert by_number["JournalID"] == journal["JournalID"]


@pytest.mark.parametrize("asked", [NOWHERE, "0", "999999999", "-1", "٣", "9" * 40, "one"])
def test_an_unknown_journal_is_not_found(xero: Xero, asked: str):
    assert xero.get(f"/Journals/{asked}").status_code == 404


@pytest.mark.parametrize("offset", ["one", "-1", "1.5", "٣"])
def test_an_offset_that_is_no_number_is_refused(xero: Xero, offset: str):
    assert xero.get(f"/Journals?offset={offset}").status_code == 400


@pytest.mark.parametrize("offset", ["999999999", "9" * 5_000])
def test_an_offset_beyond_the_end_is_an_empty_page(xero: Xero, offset: str):
    assert xero.body(f"Journals?offset={offset}")["Journals"] == []


def test_if_modified_since_gives_the_journals_created_since(xero: Xero, company: Company):
    middle = company.books.ledger.journals[-40].created_at.replace(microsecond=0)
    found = xero.body("Journals", If_Modified_Since=f"{middle:%Y-%m-%dT%H:%M:%S}")["Journals"]
    expected = [j.number for j in company.books.ledger.journals if j.created_at >= middle]
    assert [journal["JournalNumber"] for journal in found] == expected[: len(found)]
    assert found


def test_journal_ids_can_be_read_back_and_belong_to_one_organisation():
    mine = JournalBook(NOWHERE, is_cash=False, accounts={}, tax_names={})
    other = JournalBook(NOWHERE.replace("1", "2"), is_cash=False, accounts={}, tax_names={})
    numbers = [1, 2, 3, 100_000, 2**40]
    ids = [mine.id_of(number) for number in numbers]
    assert [mine.number_of(each) for each in ids] == numbers
    assert [other.number_of(each) for each in ids] == [None] * len(numbers)
    assert len(set(ids)) == len(ids)


def test_a_journal_without_a_document_has_no_source(company: Company):
    record = company.books.ledger.journals[0]
    blank = Journal(1, record.on, record.created_at, None, None, record.postings)
    tax_names = {"NONE": "No GST"}
    book = JournalBook(NOWHERE, False, company.books.ledger.accounts, tax_names)
    body = book.spell(blank, is_one=False)
    assert "SourceID" not in body
    assert "SourceType" not in body
    assert isinstance(body["JournalLines"][0]["NetAmount"], Decimal)
