"""A page is stored whole, or refused whole with its place named; the next night goes on."""

from __future__ import annotations

import gzip
import random
import zlib
from collections.abc import Callable, Iterator

import pytest

from airflow_xero.endpoint import Endpoint
from airflow_xero.errors import UnavailableError, UnexpectedPayloadError
from tests.warehouse.extraction import BY_NAME, NOW
from tests.warehouse.given_xero import (
    INVOICES,
    JSON_TYPE,
    GivenXero,
    stamp,
)

GOOD = b'{"Status":"OK","DateTimeUTC":"%b","Invoices":[{"InvoiceID":"a","Total":1.10}]}' % (
    stamp(NOW).encode()
)


@pytest.fixture
def xero(shared_warehouse_dsn: str) -> Iterator[GivenXero]:
    with GivenXero(shared_warehouse_dsn) as given:
        yield given


def around(records: str) -> bytes:
    """Xero's envelope of a single page around what stands in place of its records."""
    head = f'{{"Status":"OK","DateTimeUTC":"{stamp(NOW)}","pagination":{{"pageCount":1}},'
    return f'{head}"Invoices":{records}}}'.encode()


_random = random.Random(4)
LONG_ID = "".join(chr(_random.randint(0x4E00, 0x9FFF)) for _ in range(10_000))

REFUSED: dict[str, bytes] = {
    "nothing": b"",
    "white space": b" \r\n",
    "a page of HTML": b"<!doctype html><title>Sign in</title><p>Proxy</p>",
    "a mark of byte order": b"\xef\xbb\xbf" + GOOD,
    "UTF-16": GOOD.decode().encode("utf-16"),
    "Latin-1 letters": around('[{"InvoiceID":"a","Name":"Ngā"}]').replace("ā".encode(), b"\xe4"),
    "half a letter": around('[{"InvoiceID":"a","Name":"Ngā"}]').replace("ā".encode(), b"\xc4"),
    "a cut within the records": GOOD[:-20],
    "a cut before the last brace": GOOD[:-1],
    "two answers in one": GOOD + GOOD,
    "a list instead of an object": b'[{"InvoiceID":"a"}]',
    "a text": b'"Invoices"',
    "null": b"null",
    "no array": GOOD.replace(b'"Invoices"', b'"Receipts"'),
    "null instead of the array": around("null"),
    "an object instead of the array": around('{"InvoiceID":"a"}'),
    "a text instead of the array": around('"none"'),
    "a record without its id": around('[{"InvoiceID":"a"},{"Total":40}]'),
    "a record whose id is null": around('[{"InvoiceID":"a"},{"InvoiceID":null}]'),
    "a record whose id is empty": around('[{"InvoiceID":"a"},{"InvoiceID":""}]'),
    "a record with an id of ten thousand characters": around(
        f'[{{"InvoiceID":"a"}},{{"InvoiceID":"{LONG_ID}"}}]'
    ),
    "a text among the records": around('[{"InvoiceID":"a"},"b"]'),
    "a null among the records": around('[{"InvoiceID":"a"},null]'),
    "a list among the records": around('[{"InvoiceID":"a"},["b"]]'),
    "a hundred thousand lists in one another": around(
        '[{"InvoiceID":"a","Deep":' + "[" * 100_000 + "]" * 100_000 + "}]"
    ),
    "a number that nothing can hold": around('[{"InvoiceID":"a","Total":1e999999}]'),
    "no number": around('[{"InvoiceID":"a","Total":NaN}]'),
    "infinity": around('[{"InvoiceID":"a","Total":-Infinity}]'),
    "a leading zero": around('[{"InvoiceID":"a","Total":007}]'),
    "single quotes": around("[{'InvoiceID':'a'}]"),
    "a comma too many": around('[{"InvoiceID":"a",}]'),
    "a tabulator within a text": around('[{"InvoiceID":"a","Name":"b\tc"}]'),
    "an escape that does not exist": around('[{"InvoiceID":"a","Name":"\\x"}]'),
    "a byte of zero": around('[{"InvoiceID":"a","Name":"b\0c"}]'),
}


def nothing_is_stored(xero: GivenXero) -> None:
    """Not half a page, no watermark, and the organisation is not published."""
    for counted in (
        "xero_raw.invoices where",
        "xero_ops.watermarks where endpoint = 'invoices' and",
        "xero_ops.tenants where complete_at is not null and",
        "xero_ops.extract_runs where state <> 'failed' and",
    ):
        assert xero.one(f"select count(*) from {counted} tenant_id = %s") == 0, counted


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED.keys())
def test_page_is_refused_whole_and_names_its_place_and_the_next_night_is_whole(xero, body):
    xero.give(body)
    error = xero.refuses()
    reason = "select state_reason from xero_ops.extract_runs where tenant_id = %s"
    assert xero.one(reason) == error.told()
    nothing_is_stored(xero)
    xero.next_night()
    xero.give(around('[{"InvoiceID":"a"}]'))
    assert xero.extract().state == "complete"
    assert set(xero.stored()) == {"a"}


@pytest.mark.parametrize(
    "body",
    [b"<html>", around('[{"InvoiceID":"c"},{"Total":40}]'), around('[{"InvoiceID":"c"}')],
    ids=["html", "no-id", "cut"],
)
@pytest.mark.parametrize("number", [2, 3])
def test_later_page_that_is_refused_is_named_and_what_came_before_it_stays(xero, body, number):
    for page in (1, 2, 3):
        xero.give_records(f'{{"InvoiceID":"{page}"}}', page=page, pages=3)
    xero.give(body, page=number)
    xero.refuses(page=number)
    assert set(xero.stored()) == {str(page) for page in range(1, number)}
    xero.give_records(f'{{"InvoiceID":"{number}"}}', page=number, pages=3)
    assert xero.extract().state == "complete"
    assert set(xero.stored()) == {"1", "2", "3"}


def test_page_without_any_clock_is_refused_and_names_its_place(xero):
    xero.give(b'{"Invoices":[{"InvoiceID":"a"}]}', headers={"Date": "some day"})
    xero.refuses(match="clock")
    nothing_is_stored(xero)


def test_pages_that_repeat_each_other_are_refused_and_name_their_place(xero):
    quotes = BY_NAME["quotes"]
    for page in (1, 2):
        xero.give(as_of(quotes), endpoint=quotes, page=page)
    xero.refuses(quotes, page=2, match="repeats page 1")


def as_of(endpoint: Endpoint, record: bytes = b'{"%b":"a"}') -> bytes:
    """An answer with one record, in which `%b` is the endpoint's id field."""
    written = record.replace(b"%b", endpoint.id_field.encode())
    head = f'{{"DateTimeUTC":"{stamp(NOW)}","{endpoint.array_key}":['
    return head.encode() + written + b"]}"


@pytest.mark.parametrize(
    ("name", "lacking"),
    [
        ("budgets", "BudgetID"),
        ("linked_transactions", "LinkedTransactionID"),
        ("journals", "JournalNumber"),
        ("trial_balances", "Rows"),
        ("accounts", "AccountID"),
        ("batch_payments", "BatchPaymentID"),
    ],
)
def test_record_of_any_kind_of_list_that_lacks_what_it_needs_is_refused(xero, name, lacking):
    endpoint = BY_NAME[name]
    xero.give(as_of(endpoint, b'{"Some":"thing"}'), endpoint=endpoint)
    xero.refuses(endpoint, match=f"lacks {lacking}")


Form = Callable[[GivenXero, bytes], None]


def _deflated(xero: GivenXero, body: bytes) -> None:
    xero.give(zlib.compress(body), headers={"Content-Encoding": "deflate"})


FORMS: dict[str, Form] = {
    "as Xero does": lambda xero, body: xero.give(body),
    "packed with gzip": lambda xero, body: xero.give(
        gzip.compress(body), headers={"Content-Encoding": "gzip"}
    ),
    "packed with deflate": _deflated,
    "in chunks": lambda xero, body: xero.give(body, length=None),
    "as plain text": lambda xero, body: xero.give(body, headers={"Content-Type": "text/plain"}),
    "as HTML": lambda xero, body: xero.give(body, headers={"Content-Type": "text/html"}),
    "as Latin-1, which it is not": lambda xero, body: xero.give(
        body, headers={"Content-Type": "application/json; charset=iso-8859-1"}
    ),
    "without any type": lambda xero, body: xero.give(body, headers={"Content-Type": ""}),
    "with white space around": lambda xero, body: xero.give(b"\r\n \t" + body + b"\r\n\r\n"),
    "with its lines broken": lambda xero, body: xero.give(body.replace(b",", b",\r\n  ")),
}


@pytest.mark.parametrize("give", FORMS.values(), ids=FORMS.keys())
def test_page_is_stored_however_it_is_sent(xero, give):
    give(xero, around('[{"InvoiceID":"a","Name":"Ngā Pou 🌙","Total":1.10}]'))
    xero.extract()
    assert xero.stored() == {
        "a": {"InvoiceID": "a", "Name": "Ngā Pou 🌙", "Total": xero.stored()["a"]["Total"]}
    }
    assert str(xero.stored()["a"]["Total"]) == "1.10"


@pytest.mark.parametrize(
    "clock", ["/Date(253402300800000)/", "/Date(-62135596800001)/", "/Date(9e99)/", "soon"]
)
def test_clock_that_is_absurd_is_that_of_the_server_instead(xero, clock):
    accounts = BY_NAME["accounts"]
    body = as_of(accounts).replace(stamp(NOW).encode(), clock.encode())
    xero.give(body, endpoint=accounts)
    xero.extract(accounts)
    assert set(xero.stored(accounts)) == {"a"}


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"no gzip at all", {"Content-Encoding": "gzip"}),
        (gzip.compress(GOOD)[:-30], {"Content-Encoding": "gzip"}),
    ],
    ids=["no-gzip", "half-gzip"],
)
def test_page_that_cannot_be_unpacked_is_never_stored(xero, body, headers):
    xero.give(body, headers=headers)
    with pytest.raises((UnavailableError, UnexpectedPayloadError)) as refused:
        xero.extract()
    assert refused.value.endpoint == INVOICES.name
    nothing_is_stored(xero)


def test_page_that_ends_before_its_length_is_asked_for_again_and_never_stored(xero):
    xero.give(GOOD[:-10], length=len(GOOD), headers={"Content-Type": JSON_TYPE})
    with pytest.raises(UnavailableError) as refused:
        xero.extract()
    assert (refused.value.tenant_id, refused.value.endpoint) == (
        xero.tenant.tenant_id,
        INVOICES.name,
    )
    nothing_is_stored(xero)
