"""What an answer means, for answers that the sandbox does not give by itself."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest

from airflow_xero.answers import envelope_of, error_of, int_header
from airflow_xero.endpoints import ENDPOINTS
from airflow_xero.errors import (
    BadRequestError,
    ConsentLostError,
    RateLimitError,
    ScopeMissingError,
    UnavailableError,
    UnexpectedPayloadError,
)

BY_NAME = {endpoint.name: endpoint for endpoint in ENDPOINTS}
INVOICES = BY_NAME["invoices"]
# 2026-11-20T12:00:00Z
DATE = '"DateTimeUTC": "/Date(1795176000000)/"'


def envelope(text: str, **headers: str):
    response = httpx.Response(200, text=text, headers=headers)
    return envelope_of(response, tenant_id="a-tenant", endpoint=INVOICES)


def test_an_error_says_tenant_endpoint_status_and_correlation():
    response = httpx.Response(500, headers={"Xero-Correlation-Id": "c-1"})

    error = error_of(response, tenant_id="a-tenant", endpoint=INVOICES)

    assert (error.tenant_id, error.endpoint, error.status, error.correlation_id) == (
        "a-tenant",
        "invoices",
        500,
        "c-1",
    )


@pytest.mark.parametrize("spelling", ["insufficient_scope", "insufficent_scope"])
def test_a_missing_scope_is_recognised_in_either_spelling_and_named(spelling):
    headers = {"WWW-Authenticate": f"Bearer error={spelling}"}

    error = error_of(httpx.Response(401, headers=headers), endpoint=INVOICES)

    assert type(error) is ScopeMissingError
    assert "accounting.invoices.read" in error.message


def test_a_401_without_any_word_is_about_the_token():
    assert type(error_of(httpx.Response(401))) is ConsentLostError


@pytest.mark.parametrize(
    ("headers", "limit", "seconds"),
    [
        ({"X-Rate-Limit-Problem": "day", "Retry-After": "9000"}, "day", 9000),
        ({"X-Rate-Limit-Problem": "DayLimit", "Retry-After": "9"}, "day", 9),
        ({"X-Rate-Limit-Problem": "AppMinute"}, "appminute", None),
        ({"Retry-After": "30"}, "minute", 30),
        ({"Retry-After": "9000"}, "day", 9000),
        ({"Retry-After": "Fri, 20 Nov 2026 12:00:00 GMT"}, "minute", None),
        ({}, "minute", None),
    ],
)
def test_a_429_names_its_limit_with_or_without_xeros_word(headers, limit, seconds):
    error = error_of(httpx.Response(429, headers=headers))

    assert isinstance(error, RateLimitError)
    assert (error.limit, error.retry_after_seconds) == (limit, seconds)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, UnexpectedPayloadError),
        (304, UnexpectedPayloadError),
        (405, BadRequestError),
        (406, BadRequestError),
        (408, UnavailableError),
        (412, BadRequestError),
        (502, UnavailableError),
        (504, UnavailableError),
    ],
)
def test_every_other_status_has_one_meaning(status, kind):
    assert type(error_of(httpx.Response(status))) is kind


def refused(*messages: object) -> str:
    body = {
        "ErrorNumber": 10,
        "Type": "ValidationException",
        "Message": "A validation exception occurred",
        "Elements": [
            {"Name": "Private Person", "ValidationErrors": [{"Message": each}]} for each in messages
        ],
    }
    return error_of(httpx.Response(400, json=body)).message


def test_a_refusal_says_what_xero_finds_wrong_with_the_records_and_nothing_of_them():
    said = refused("The Contact\n must be given", "Amount is too large", "Amount is too large")

    assert said == (
        "Xero refused our request; report it: A validation exception occurred;"
        " The Contact must be given; Amount is too large"
    )


def test_a_refusal_of_a_thousand_records_stays_short():
    assert len(refused(*("x y" * 100 + str(number) for number in range(1000)))) < 1100


@pytest.mark.parametrize(
    "elements",
    [None, 7, "text", [None, 7, "text"], [{"ValidationErrors": 7}], [{"ValidationErrors": [7]}]],
)
def test_a_refusal_that_is_not_as_documented_is_told_all_the_same(elements):
    response = httpx.Response(400, json={"Message": "No", "Elements": elements})

    assert error_of(response).message == "Xero refused our request; report it: No"


def test_nothing_as_long_as_a_token_gets_from_a_body_into_a_message():
    token = "eyJhbGciOiJSUzI1NiJ9." + "x" * 60
    element = {"ValidationErrors": [{"Message": token}]}
    bodies = [{"Detail": f"bad {token}"}, {"message": token}, {"Elements": [element]}]

    said = [str(error_of(httpx.Response(400, json=body))) for body in bodies]
    said.append(str(error_of(httpx.Response(503, text=f"offline {token}"))))

    assert not any(token[:40] in text for text in said)


def test_an_html_page_is_not_quoted():
    page = httpx.Response(502, html="<h1>We'll be back soon</h1>")

    assert "<" not in error_of(page).message


def test_the_envelope_before_the_records_is_read_without_them():
    found = envelope(f'{{{DATE}, "pagination": {{"pageCount": 7}}, "Invoices": [broken')

    assert (found.xero_now, found.page_count, found.is_empty) == (
        datetime(2026, 11, 20, 12, tzinfo=UTC),
        7,
        False,
    )


@pytest.mark.parametrize("records", ["[]", "[ \n ]"])
def test_an_empty_page_is_recognised(records):
    assert envelope(f'{{{DATE}, "pagination": {{}}, "Invoices": {records}}}').is_empty
    assert envelope(f'{{"Invoices": {records}, {DATE}}}').is_empty


def test_the_key_of_the_records_inside_another_record_is_not_mistaken_for_them():
    body = f'{{{DATE}, "Other": [{{"Invoices": []}}], "Invoices": [{{"InvoiceID": "1"}}]}}'

    assert not envelope(body).is_empty


def test_the_date_of_the_server_stands_in_for_a_missing_clock():
    found = envelope('{"Invoices": []}', Date="Fri, 20 Nov 2026 12:00:00 GMT")

    assert found.xero_now == datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize("clock", ['"DateTimeUTC": "today"', '"DateTimeUTC": null', '"Id": 1'])
def test_an_answer_without_any_clock_is_refused(clock):
    with pytest.raises(UnexpectedPayloadError, match="DateTimeUTC"):
        envelope(f'{{{clock}, "Invoices": []}}')


@pytest.mark.parametrize("body", ["", "<html>", "[1]", "[" * 100_000, '{"Invoices": ['])
def test_what_is_no_json_object_is_refused(body):
    with pytest.raises(UnexpectedPayloadError) as refused:
        envelope(body)

    assert (refused.value.tenant_id, refused.value.endpoint) == ("a-tenant", "invoices")


@pytest.mark.parametrize(
    ("text", "number"), [("59", 59), (" 0 ", 0), ("-1", None), ("many", None), ("", None)]
)
def test_a_header_counts_only_when_it_is_a_number(text, number):
    assert int_header(httpx.Response(200, headers={"X-Left": text}), "X-Left") == number
