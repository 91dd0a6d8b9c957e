"""XeroClient walking pages: how many, what it asks for, and what it fetches ahead."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx
import pytest

from airflow_xero import oauth
from airflow_xero.client import PAGE_SIZE, XeroClient
from airflow_xero.endpoints import ENDPOINTS
from airflow_xero.errors import UnavailableError, UnexpectedPayloadError
from airflow_xero.oauth import XeroApp
from tests.unit.conftest import VERIFIER, add_organisation

CONTACTS, JOURNALS = (
    next(endpoint for endpoint in ENDPOINTS if endpoint.name == name)
    for name in ("contacts", "journals")
)
PATH = "/api.xro/2.0/Contacts"
TENANT = "a-tenant"


class Walker:
    """A client of an organisation with a bit more than two pages of contacts."""

    def __init__(self, sandbox, app: XeroApp, http: httpx.Client, tenant_id: str) -> None:
        self.sandbox = sandbox
        self.tenant_id = tenant_id
        self.token = ""
        self.waits: Callable[[float], None] = lambda seconds: None
        self.client = XeroClient(app, access_token=lambda: self.token, http=http, sleep=self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.waits(seconds)

    def pages(self, **asked: Any):
        return self.client.pages(CONTACTS, self.tenant_id, **asked)

    def asked(self) -> list[dict[str, str]]:
        entries = self.sandbox.control("GET", "requests")
        return [dict(httpx.QueryParams(e["query"])) for e in entries if e["path"] == PATH]

    def numbers(self) -> list[str]:
        return [asked["page"] for asked in self.asked()]

    def wait_for(self, numbers: list[str]) -> None:
        give_up_at = time.monotonic() + 10
        while self.numbers() != numbers and time.monotonic() < give_up_at:
            time.sleep(0.01)
        assert self.numbers() == numbers


@pytest.fixture
def walker(xero_sandbox, app, consent, http) -> Walker:
    quiet = dict.fromkeys(("invoices_per_day", "bills_per_day", "bank_transactions_per_day"), 0)
    tenant_id = add_organisation(xero_sandbox, days=1, customers=2 * PAGE_SIZE, **quiet)
    tokens = oauth.exchange_code(
        app, consent(app), code_verifier=VERIFIER, http=http, now=datetime.now(UTC)
    )
    walker = Walker(xero_sandbox, app, http, tenant_id)
    walker.token = tokens.access_token
    return walker


def test_a_walk_brings_every_record_once_and_asks_for_no_page_beyond_the_last(walker):
    pages = list(walker.pages())

    records = [record for page in pages for record in json.loads(page.body)["Contacts"]]
    assert [page.number for page in pages] == [1, 2, 3]
    assert [page.is_last for page in pages] == [False, False, True]
    assert {page.page_count for page in pages} == {3}
    assert len({record["ContactID"] for record in records}) == len(records) > 2 * PAGE_SIZE
    assert walker.asked() == [
        {"page": number, "pageSize": "1000", "includeArchived": "true"} for number in "123"
    ]


def test_a_walk_cut_short_goes_on_at_the_page_it_is_told(walker):
    assert [page.number for page in walker.pages(first_page=3)] == [3]
    assert walker.numbers() == ["3"]


def test_the_next_page_is_fetched_while_this_one_is_handled_and_only_that_one(walker):
    pages = walker.pages()
    next(pages)

    walker.wait_for(["1", "2"])
    time.sleep(0.1)

    assert walker.numbers() == ["1", "2"]
    pages.close()


def test_an_error_on_the_next_page_is_raised_only_when_that_page_is_wanted(walker):
    rule = {"path": PATH, "status": 503, "times": 0, "query": {"page": "2"}}
    walker.sandbox.control("POST", "faults", rule)
    pages = walker.pages()

    assert next(pages).number == 1
    with pytest.raises(UnavailableError):
        next(pages)


def test_nothing_more_is_asked_for_after_the_caller_gave_up(walker, xero_sandbox, app, http):
    rule = {"path": PATH, "status": 503, "times": 0, "query": {"page": "2"}}
    xero_sandbox.control("POST", "faults", rule)
    waiting, may_go_on = threading.Event(), threading.Event()

    def sleep(seconds: float) -> None:
        waiting.set()
        may_go_on.wait(10)

    walker.waits = sleep
    pages = walker.pages()
    next(pages)
    assert waiting.wait(10)

    pages.close()
    may_go_on.set()
    time.sleep(0.1)

    assert walker.numbers() == ["1", "2"]


@pytest.mark.parametrize(
    "since",
    [
        datetime(2026, 11, 20, 3, 4, 5, tzinfo=UTC),
        datetime(2026, 11, 20, 3, 4, 5, 999_999, tzinfo=UTC),
        datetime(2026, 11, 20, 16, 4, 5, tzinfo=timezone(timedelta(hours=13))),
    ],
)
def test_changes_are_asked_for_in_exactly_the_form_xero_documents(since, walker):
    list(walker.pages(since=since))

    entries = walker.sandbox.control("GET", "requests")
    asked = {entry["modifiedSince"] for entry in entries if entry["path"] == PATH}
    assert asked == {"2026-11-20T03:04:05"}


def test_nothing_is_said_of_changes_in_a_walk_over_everything(walker):
    list(walker.pages())

    entries = walker.sandbox.control("GET", "requests")
    assert {entry["modifiedSince"] for entry in entries} == {None}


# --- Servers that page as the sandbox does not ----------------------------------------------


class Crowd:
    """A server of so many pages that counts how many it answers at once."""

    def __init__(self, app: XeroApp, page_count: int) -> None:
        self.page_count = page_count
        self.asked: list[int] = []
        self.in_flight_at: dict[int, int] = {}
        self.most_at_once = 0
        self._in_flight = 0
        self._lock = threading.Lock()
        self.http = httpx.Client(transport=httpx.MockTransport(self._handle))
        self.client = XeroClient(app, access_token=lambda: "token", http=self.http)

    def _handle(self, request: httpx.Request) -> httpx.Response:
        number = int(request.url.params["page"])
        with self._lock:
            self._in_flight += 1
            self.asked.append(number)
            self.in_flight_at[number] = self._in_flight
            self.most_at_once = max(self.most_at_once, self._in_flight)
        time.sleep(0.02)
        with self._lock:
            self._in_flight -= 1
        body = {
            **page_without_pagination(number, records=1),
            "pagination": {"page": number, "pageCount": self.page_count},
        }
        return httpx.Response(200, json=body)


@pytest.fixture
def crowd(app: XeroApp) -> Iterator[Callable[[int], Crowd]]:
    """Makes servers with a number of pages."""
    made: list[Crowd] = []

    def make(page_count: int) -> Crowd:
        made.append(Crowd(app, page_count))
        return made[-1]

    yield make
    for server in made:
        server.http.close()


Answer = Callable[[int], dict[str, Any]]


@pytest.fixture
def scripted(app: XeroApp) -> Iterator[Callable[[Answer], tuple[XeroClient, list[int]]]]:
    """A client of a server that answers page n with what `answer(n)` says, and what it asked."""
    opened: list[httpx.Client] = []

    def make(answer: Answer) -> tuple[XeroClient, list[int]]:
        asked: list[int] = []

        def handle(request: httpx.Request) -> httpx.Response:
            asked.append(int(request.url.params["page"]))
            return httpx.Response(200, json=answer(asked[-1]))

        opened.append(httpx.Client(transport=httpx.MockTransport(handle)))
        return XeroClient(app, access_token=lambda: "token", http=opened[-1]), asked

    yield make
    for client in opened:
        client.close()


def page_without_pagination(number: int, *, records: int) -> dict[str, Any]:
    return {
        "DateTimeUTC": f"/Date({1795176000000 + number})/",
        "Contacts": [{"ContactID": f"{number}-{index}"} for index in range(records)],
    }


@pytest.mark.parametrize("last", [1, 2, 4])
def test_a_walk_without_page_count_ends_at_the_empty_page(scripted, last):
    client, asked = scripted(
        lambda number: page_without_pagination(number, records=2 if number < last else 0)
    )

    pages = list(client.pages(CONTACTS, TENANT))

    assert asked == list(range(1, last + 1))
    assert [page.is_last for page in pages] == [False] * (last - 1) + [True]


def test_a_server_that_repeats_its_first_page_for_ever_is_refused(scripted):
    client, asked = scripted(
        lambda number: {**page_without_pagination(1, records=3), "Id": f"answer-{number}"}
    )

    with pytest.raises(UnexpectedPayloadError, match=r"Page 2 .* repeats page 1"):
        list(client.pages(CONTACTS, TENANT))

    assert asked == [1, 2]


@pytest.mark.parametrize("again", [[1, 2, 3], [2, 3]])
def test_journals_that_go_round_in_circles_are_refused(app, again):
    """However Xero overlooks what was asked for, no day's calls go into it."""
    asked: list[int] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(int(request.url.params["offset"]))
        numbers = again if len(asked) > 1 else [1, 2, 3]
        journals = [{"JournalID": f"{number}", "JournalNumber": number} for number in numbers]
        return httpx.Response(200, json={"DateTimeUTC": "/Date(0)/", "Journals": journals})

    with httpx.Client(transport=httpx.MockTransport(handle)) as http:
        client = XeroClient(app, access_token=lambda: "token", http=http)
        with pytest.raises(UnexpectedPayloadError, match="repeats journals up to number 3"):
            list(client.numbered(JOURNALS, TENANT, after=0))

    assert asked == [0, 3]


def test_a_page_count_that_shrinks_during_the_walk_ends_it(scripted):
    def answer(number: int) -> dict[str, Any]:
        body = page_without_pagination(number, records=1)
        return {**body, "pagination": {"pageCount": 5 if number == 1 else 2}}

    client, asked = scripted(answer)

    assert [page.page_count for page in client.pages(CONTACTS, TENANT)] == [5, 2]
    assert {1, 2} <= set(asked) <= {1, 2, 3, 4}


def test_up_to_four_pages_are_fetched_at_once_and_the_last_one_after_all_others(
    crowd: Callable[[int], Crowd],
):
    server = crowd(12)

    pages = list(server.client.pages(CONTACTS, TENANT))

    assert [page.number for page in pages] == list(range(1, 13))
    assert sorted(server.asked) == list(range(1, 13))
    assert server.most_at_once == 4
    assert server.asked[-1] == 12
    assert server.in_flight_at[12] == 1


def test_pages_that_were_fetched_ahead_do_not_pile_up(crowd: Callable[[int], Crowd]):
    server = crowd(40)
    pages = server.client.pages(CONTACTS, TENANT)
    for _ in range(3):
        next(pages)

    time.sleep(0.2)

    # Three were handled, and four are ready.
    assert sorted(server.asked) == list(range(1, 8))
    pages.close()


def test_a_walk_over_nothing_is_one_page(scripted):
    client, asked = scripted(
        lambda number: {
            **page_without_pagination(number, records=0),
            "pagination": {"page": 1, "pageCount": 0, "itemCount": 0},
        }
    )

    assert [page.is_last for page in client.pages(CONTACTS, TENANT)] == [True]
    assert asked == [1]


class Minute:
    """A server of many pages that allows sixty calls a minute; a minute is soon slept here."""

    CALLS = 60

    def __init__(self, app: XeroApp, page_count: int) -> None:
        self.page_count = page_count
        self.waits: list[float] = []
        self._slept = threading.local()
        self._used = 0
        self._lock = threading.Lock()
        self.http = httpx.Client(transport=httpx.MockTransport(self._handle))
        self.client = XeroClient(
            app, access_token=lambda: "token", http=self.http, sleep=self.sleep
        )

    def sleep(self, seconds: float) -> None:
        """The next minute begins when somebody has waited for most of one."""
        time.sleep(seconds / 1000)
        self._slept.seconds = getattr(self._slept, "seconds", 0.0) + seconds
        with self._lock:
            self.waits.append(seconds)
            if self._slept.seconds > 50:
                self._slept.seconds = 0.0
                self._used = 0 if self._used == self.CALLS else self._used

    def _handle(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            is_refused = self._used == self.CALLS
            self._used += not is_refused
            headers = {"X-MinLimit-Remaining": str(self.CALLS - self._used)}
        if is_refused:
            headers |= {"Retry-After": "60", "X-Rate-Limit-Problem": "minute"}
            return httpx.Response(429, headers=headers)
        number = int(request.url.params["page"])
        body = {
            **page_without_pagination(number, records=1),
            "pagination": {"page": number, "pageCount": self.page_count},
        }
        return httpx.Response(200, json=body, headers=headers)


def test_pages_that_wait_for_the_same_minute_wait_once(app: XeroApp):
    server = Minute(app, page_count=600)
    with server.http:
        pages = list(server.client.pages(CONTACTS, TENANT))

    assert [page.number for page in pages] == list(range(1, 601))
    # One after another, their waits would be more than the ten minutes that there are.
    assert sum(server.waits) > 600
