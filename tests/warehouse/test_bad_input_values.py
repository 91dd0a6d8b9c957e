"""Whatever a record says: exactly the JSON value that was sent is stored, and no float."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.warehouse.given_xero import GivenXero, decimals


@pytest.fixture
def xero(shared_warehouse_dsn: str) -> Iterator[GivenXero]:
    with GivenXero(shared_warehouse_dsn) as given:
        yield given


VALUES = {
    "unknown enum": '"Status":"SEALED"',
    "new field": '"Mood":{"is":["good",{"since":"/Date(1)/"}]}',
    "null where a list was": '"LineItems":null',
    "object where a list was": '"LineItems":{"LineItemID":"x"}',
    "list where an object was": '"Contact":[]',
    "text where a list was": '"Payments":"none"',
    "number as text": '"Total":"12.50"',
    "text as number": '"InvoiceNumber":17',
    "truth as text": '"HasAttachments":"true"',
    "ten decimals": '"CurrencyRate":0.1234567891',
    "zeros behind the point": '"Total":40.00',
    "thirty digits": '"Total":123456789012345678901234567890',
    "thirty digits and thirty decimals": (
        '"Total":-123456789012345678901234567890.123456789012345678901234567891'
    ),
    "more than a float can be": '"Total":1e400',
    "less than a float can be": '"Total":1e-400',
    "exponents": '"Total":1.50E+2,"AmountDue":25e-1',
    "negative zero": '"Total":-0.00',
    "what a float would round": '"Total":0.1000000000000000055511151231257827',
    "date before the year 1": '"Date":"/Date(-62135596800001+0000)/"',
    "date after the year 9999": '"Date":"/Date(253402300800000+0000)/"',
    "date before Christ": '"Date":"/Date(-99999999999999)/"',
    "date of thirty digits": '"Date":"/Date(123456789012345678901234567890)/"',
    "negative date of thirty digits": '"Date":"/Date(-123456789012345678901234567890)/"',
    "date that is a number": '"Date":1584585851967',
    "stamp before the year 1": '"UpdatedDateUTC":"/Date(-62135596800001+0000)/"',
    "stamp after the year 9999": '"UpdatedDateUTC":"/Date(253402300800000)/"',
    "stamp that is an object": '"UpdatedDateUTC":{}',
    "half a stamp": '"UpdatedDateUTC":"/Date("',
    "empty texts": '"Reference":"","InvoiceNumber":""',
    "every kind of white space": '"Reference":" \\t\\r\\n\\u2028\\u00a0\\ufeff"',
    "emoji, markup, quotes": '"Reference":"🌙<b>\'\\"</b>%s{0}--;"',
    "escaped slash": '"Url":"http:\\/\\/xero.com\\/"',
    "text of a megabyte": '"Reference":"' + "é" * 500_000 + '"',
    "name without a letter": '"":1," ":2',
    "name of a thousand letters": '"' + "n" * 1000 + '":1',
    "names that differ by case": '"total":1,"Total":2,"TOTAL":3',
    "five hundred objects in one another": '"Deep":' + '{"a":' * 500 + "1" + "}" * 500,
    "five hundred lists in one another": '"Deep":' + "[" * 500 + "]" * 500,
    "ten thousand lines": '"LineItems":[' + ",".join(['{"UnitAmount":1.0001}'] * 10_000) + "]",
}


@pytest.mark.parametrize("written", VALUES.values(), ids=VALUES.keys())
def test_value_is_stored_as_it_was_sent_and_stays_the_next_night(xero, written):
    record = f'{{"InvoiceID":"odd",{written}}}'
    plain = '{"InvoiceID":"plain","Total":1.10}'
    sent = {"odd": decimals(record), "plain": decimals(plain)}
    xero.give_records(record, plain)
    assert xero.extract().state == "complete"
    assert xero.stored() == sent
    # A changed record is compared with the reports' months, by its date.
    xero.next_night()
    xero.give_records(record.replace("odd", "new"), record[:-1] + ',"Changed":true}')
    counts = xero.extract().counts["invoices"]
    assert (counts.records_new, counts.records_changed) == (1, 1)
    assert xero.stored() == {
        "new": sent["odd"] | {"InvoiceID": "new"},
        "odd": sent["odd"] | {"Changed": True},
        "plain": sent["plain"],
    }


def test_every_digit_is_kept(xero):
    xero.give_records('{"InvoiceID":"a","Total":40.00,"CurrencyRate":1.1234567890}')
    xero.extract()
    text = xero.one("select payload::text from xero_raw.invoices where tenant_id = %s")
    assert text == '{"Total": 40.00, "InvoiceID": "a", "CurrencyRate": 1.1234567890}'


def test_of_a_name_that_is_there_twice_the_later_counts_as_in_every_reader_of_json(xero):
    record = '{"InvoiceID":"first","Total":1,"Lines":[{"A":1,"A":2}],"Total":2,"InvoiceID":"a"}'
    xero.give_records(record)
    xero.extract()
    assert xero.stored() == {"a": decimals(record)}
    assert xero.stored()["a"]["Total"] == Decimal(2)


IDS = {
    "no GUID": "INV 17/2026",
    "one letter": "x",
    "upper case": "0F0E8A4C-59E1-4B1A-9B1E-2A6F0A8B7C11",
    "emoji": "🌙",
    "quotes and a semicolon": "'; drop schema xero_raw cascade; --",
    "six hundred characters of three bytes": "".join(chr(0x4E00 + n) for n in range(600)),
}


@pytest.mark.parametrize("record_id", IDS.values(), ids=IDS.keys())
def test_id_of_any_form_is_kept(xero, record_id):
    xero.give_records(f'{{"InvoiceID":"{record_id}","Total":1}}')
    xero.extract()
    assert set(xero.stored()) == {record_id}
    xero.next_night()
    assert xero.extract().counts["invoices"].records_changed == 0


def test_id_that_is_a_number_is_kept_as_its_digits(xero):
    xero.give_records('{"InvoiceID":17}')
    xero.extract()
    assert xero.stored() == {"17": {"InvoiceID": Decimal(17)}}


def test_record_that_is_twice_on_a_page_is_stored_once_as_it_was_last_said(xero):
    xero.give_records(*(f'{{"InvoiceID":"a","Total":{n}}}' for n in (1, 3, 2)))
    counts = xero.extract().counts["invoices"]
    assert xero.stored() == {"a": {"InvoiceID": "a", "Total": 2}}
    assert (counts.records_read, counts.records_new) == (3, 1)


def test_record_that_is_on_two_pages_is_stored_once_as_it_was_last_said(xero):
    xero.give_records('{"InvoiceID":"a","Total":1}', '{"InvoiceID":"b"}', page=1, pages=2)
    xero.give_records('{"InvoiceID":"c"}', '{"InvoiceID":"a","Total":2}', page=2, pages=2)
    xero.extract()
    assert set(xero.stored()) == {"a", "b", "c"}
    assert xero.stored()["a"]["Total"] == 2
    assert xero.one("select count(*) from xero_raw.invoices where tenant_id = %s") == 3


def test_page_of_five_megabytes_is_stored(xero):
    stores_a_page_of(xero, megabytes=5)


@pytest.mark.campaign
def test_page_of_fifty_megabytes_is_stored(xero):
    stores_a_page_of(xero, megabytes=50)


def stores_a_page_of(xero, *, megabytes):
    line = '{"Description":"' + "long" * 250 * megabytes + '","UnitAmount":1.0001}'
    record = f'"LineItems":[{line}]'
    xero.give_records(*(f'{{"InvoiceID":"{number}",{record}}}' for number in range(1000)))
    counts = xero.extract().counts["invoices"]
    assert counts.bytes > megabytes * 1_000_000
    assert (counts.records_new, counts.calls) == (1000, 1)
    lengths = "min(length(payload #>> '{LineItems,0,Description}'))"
    stored = f"select count(*)::text || ' of ' || {lengths} from xero_raw.invoices"
    assert xero.one(f"{stored} where tenant_id = %s") == f"1000 of {megabytes * 1000}"
