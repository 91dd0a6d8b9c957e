"""Xero's wire format, and the frame around every answer."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sandbox.conftest import App
from xero_sandbox.api.paging import Paging, paging_of
from xero_sandbox.api.querying import Query
from xero_sandbox.errors import QueryParseError
from xero_sandbox.wire.format import (
    dump,
    element,
    envelope,
    framed,
    iso_date,
    iso_fraction,
    ms_date,
    ms_date_bare,
)


def test_dates_are_milliseconds_with_and_without_offset():
    moment = datetime(2020, 3, 19, 2, 44, 11, 967_999, tzinfo=UTC)
    assert ms_date(moment) == "/Date(1584585851967+0000)/"
    assert ms_date_bare(moment) == "/Date(1584585851967)/"
    assert ms_date(date(2018, 10, 20)) == "/Date(1539993600000+0000)/"
    assert iso_date(date(2018, 10, 20)) == "2018-10-20T00:00:00"


def test_dates_before_1970_are_negative_and_truncated_towards_the_past():
    assert ms_date(date(1969, 12, 31)) == "/Date(-86400000+0000)/"
    assert ms_date(datetime(1969, 12, 31, 23, 59, 59, 999_500, tzinfo=UTC)) == "/Date(-1+0000)/"
    assert ms_date(date(1, 1, 1)) == "/Date(-62135596800000+0000)/"


def test_dates_in_other_zones_are_sent_as_utc_and_naive_ones_refused():
    auckland = datetime(2026, 11, 21, 13, tzinfo=timezone(timedelta(hours=13)))
    assert ms_date(auckland) == ms_date(date(2026, 11, 21))
    with pytest.raises(ValueError, match="time zone"):
        ms_date(auckland.replace(tzinfo=None))


def test_connection_dates_have_seven_digits_and_no_zone():
    moment = datetime(2019, 7, 9, 23, 40, 30, 183_313, tzinfo=UTC)
    assert iso_fraction(moment) == "2019-07-09T23:40:30.1833130"


def test_json_is_laid_out_as_xero_lays_it_out():
    head = envelope(
        correlation_id="12b9c7bc-4c28-4920-a54c-136e7014eaa2",
        provider_name="app",
        now=datetime(2020, 3, 19, 2, 44, 11, 967_000, tzinfo=UTC),
        pagination={"page": 1, "pageSize": 100, "pageCount": 1, "itemCount": 1},
    )
    invoice = {
        "InvoiceNumber": 'A/B "1"',
        "Date": "/Date(1539993600000+0000)/",
        "Total": Decimal("40.00"),
        "Rate": Decimal("1E-7"),
        "Count": 3,
        "Sent": True,
        "Void": False,
        "None": None,
        "Name": "Måne 🌙\n\u2028",
        "Payments": [],
        "Contact": {},
        "Lines": [{"Quantity": Decimal("1.0000"), "100%": "%s"}],
    }
    lines = [
        "{",
        '  "Id": "12b9c7bc-4c28-4920-a54c-136e7014eaa2",',
        '  "Status": "OK",',
        '  "ProviderName": "app",',
        '  "DateTimeUTC": "\\/Date(1584585851967)\\/",',
        '  "pagination": {',
        '    "page": 1,',
        '    "pageSize": 100,',
        '    "pageCount": 1,',
        '    "itemCount": 1',
        "  },",
        '  "Invoices": [',
        "    {",
        '      "InvoiceNumber": "A/B \\"1\\"",',
        '      "Date": "\\/Date(1539993600000+0000)\\/",',
        '      "Total": 40.00,',
        '      "Rate": 0.0000001,',
        '      "Count": 3,',
        '      "Sent": true,',
        '      "Void": false,',
        '      "None": null,',
        '      "Name": "Måne 🌙\\n\u2028",',
        '      "Payments": [],',
        '      "Contact": {},',
        '      "Lines": [',
        "        {",
        '          "Quantity": 1.0000,',
        '          "100%": "%s"',
        "        }",
        "      ]",
        "    }",
        "  ]",
        "}",
    ]
    expected = "\r\n".join(lines)
    assert dump(head | {"Invoices": [invoice]}).decode() == expected
    assert framed(head, "Invoices", [element(invoice)]).decode() == expected


def test_an_answer_is_framed_around_any_number_of_records():
    records = [{"Code": "NZD"}, {"Code": "AUD"}, {}]
    for found in (records, records[:1], []):
        whole = dump({"Status": "OK", "Currencies": found})
        assert framed({"Status": "OK"}, "Currencies", [element(each) for each in found]) == whole


TEXT = st.text(max_size=8)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | TEXT
    | st.decimals(allow_nan=False, allow_infinity=False, places=4)
)
JSON = SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(TEXT, SCALARS, max_size=3)


@settings(max_examples=60)
@given(st.dictionaries(TEXT, JSON, max_size=4))
def test_whatever_is_written_reads_back_as_it_was(body):
    def reread(value):
        return json.loads(value, parse_float=Decimal)

    assert reread(dump(body)) == body
    assert reread(element(body)) == body
    assert reread(framed({"Id": "1"}, "Given", [element(body)])) == {"Id": "1", "Given": [body]}


def test_money_that_is_a_float_is_refused():
    with pytest.raises(TypeError, match="float"):
        dump({"Total": 40.0})


@pytest.mark.real_payloads
def test_a_recorded_answer_of_the_real_xero_comes_out_byte_for_byte(real_payloads: Path):
    recorded = (
        real_payloads / "demo-company-nz-2020/demo-nz-2020-invoices-page1.json"
    ).read_bytes()
    assert dump(json.loads(recorded, parse_float=Decimal)) == recorded


@pytest.mark.parametrize(
    ("query", "page", "size"),
    [
        ({"page": "3"}, 3, 100),
        ({"pageSize": "5"}, 1, 5),
        ({"page": "2", "pageSize": "1000"}, 2, 1000),
        ({"page": "2", "pageSize": "5000"}, 2, 1000),
        ({"page": "0", "pageSize": "0"}, 1, 1),
        ({"page": "-4", "pageSize": "-1"}, 1, 1),
        ({"page": "999999999999"}, 999_999_999_999, 100),
        ({"page": "9" * 5_000, "pageSize": "99999999999999"}, 10**12, 1000),
        ({"page": "0" * 5_000 + "7", "pageSize": f"-{'9' * 5_000}"}, 7, 1),
        ({"page": ""}, 1, 100),
    ],
)
def test_pages_are_clamped_and_never_refused(query, page, size):
    assert paging_of(Query([*query.items()])) == Paging(page, size)


def test_a_list_is_paged_only_when_asked_or_forced():
    nothing, second = Query([]), Query([("page", "2"), ("pageSize", "500")])
    assert paging_of(nothing) is None
    assert paging_of(nothing, forced=True) == Paging(1, 100)
    assert paging_of(second, fixed_size=100) == Paging(2, 100)


@pytest.mark.parametrize("page", ["two", "1.5", "1e3", "٣", "--1", "-"])
def test_a_page_that_is_no_number_is_refused(page):
    with pytest.raises(QueryParseError):
        paging_of(Query([("page", page)]))


def test_pages_cut_a_list_without_losing_or_repeating_anything():
    items = list(range(250))
    pages = [Paging(number, 100).cut(items) for number in (1, 2, 3, 4)]
    assert [len(page) for page in pages] == [100, 100, 50, 0]
    assert [item for page in pages for item in page] == items
    assert Paging(3, 100).pagination(250) == {
        "page": 3,
        "pageSize": 100,
        "pageCount": 3,
        "itemCount": 250,
    }
    assert Paging(1, 100).pagination(0)["pageCount"] == 0


def test_every_answer_carries_the_correlation_id_of_its_envelope(app: App, tiny: str):
    response = app.read(app.connect(), "Organisation", tiny)
    body = response.json()
    assert body["Id"] == response.headers["Xero-Correlation-Id"]
    assert str(uuid.UUID(body["Id"])) == body["Id"]
    assert body["Status"] == "OK"
    assert list(body) == ["Id", "Status", "ProviderName", "DateTimeUTC", "Organisations"]
    assert "no-store" in response.headers["Cache-Control"]
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"


def test_the_envelope_and_the_date_header_tell_the_business_time(app: App, tiny: str):
    app.sandbox.control("POST", "clocks", {"business": "2026-03-01T10:00:00Z"})
    response = app.read(app.connect(), "Organisation", tiny)
    stamp = int(response.json()["DateTimeUTC"].removeprefix("/Date(").removesuffix(")/")) / 1000
    moments = (datetime.fromtimestamp(stamp, UTC), parsedate_to_datetime(response.headers["Date"]))
    for moment in moments:
        assert timedelta(0) <= moment - datetime(2026, 3, 1, 10, tzinfo=UTC) < timedelta(seconds=60)


@pytest.mark.parametrize(
    "accept",
    [
        "*/*",
        "",
        "application/xml",
        "text/html",
        "application/json;q=0, application/xml",
        "application/json; charset=utf-8; Q=0.000",
        "application/json-patch+json",
    ],
)
def test_without_asking_for_json_the_sandbox_says_that_xml_comes_later(app: App, tiny: str, accept):
    response = app.read(app.connect(), "Organisation", tiny, Accept=accept)
    assert response.status_code == 406
    assert "XML comes later" in response.json()["Detail"]


@pytest.mark.parametrize(
    "accept",
    [
        "Application/JSON; charset=utf-8",
        "application/json;q=0.001",
        "text/html, application/json ; q = 0.5, */*;q=0.1",
        "application/json;q=often",
    ],
)
def test_who_takes_json_gets_it(app: App, tiny: str, accept: str):
    response = app.read(app.connect(), "Organisation", tiny, Accept=accept)
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    assert response.status_code == 200


def test_unknown_paths_are_404_in_xeros_plain_words(app: App, tiny: str):
    tokens = app.connect()
    for response in (
        app.read(tokens, "Unheard", tiny),
        app.read(tokens, "Reports/Unheard", tiny),
        app.read(tokens, "Accounts/2d1c9a9e-0000-4000-8000-000000000000", tiny),
        app.read(tokens, "", tiny),
        app.http.get("/nowhere"),
        app.http.get("/api.xro/3.0/Invoices"),
    ):
        assert response.status_code == 404
        assert response.text == "The resource you're looking for cannot be found"
        assert response.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_writing_is_refused_for_now(app: App, tiny: str):
    tokens = app.connect()
    response = app.http.put(
        "/api.xro/2.0/Accounts",
        json={},
        headers={"Authorization": f"Bearer {tokens['access_token']}", "xero-tenant-id": tiny},
    )
    assert response.status_code == 405


class Broken:
    """An organisation whose books broke."""

    tenant_id = name = "broken"

    def advance(self, now: datetime) -> None:
        raise RuntimeError("a secret detail of the books")


def test_what_breaks_inside_is_a_500_without_a_stack_trace(app: App, tiny: str, caplog):
    tokens = app.connect()
    app.sandbox.world._held.built[tiny] = Broken()  # type: ignore[assignment]
    response = app.read(tokens, "Organisation", tiny)
    assert response.status_code == 500
    assert response.json()["Title"] == "Internal Server Error"
    assert "secret detail" not in response.text
    assert "Traceback" not in response.text
    assert "a secret detail of the books" in caplog.text
    assert app.sandbox.control("GET", "requests")[-1]["status"] == 500
