"""Reading Xero's accounting API: pages of bytes, with every limit and every retry.

The only home of retries; `pacing.py` counts what Xero still allows, `patience.py` says when to ask
again, `waiting.py` how long that may take, `walking.py` which page comes next. Knows HTTP; must not
know Postgres, how tokens are kept, or what a record means.
Source: https://developer.xero.com/documentation/guides/oauth2/limits
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from threading import Event, Lock
from types import MappingProxyType

import httpx

from airflow_xero.answers import envelope_of, error_of, int_header
from airflow_xero.endpoint import Endpoint, Paging, Params
from airflow_xero.errors import ConsentLostError, RateLimitError, XeroError
from airflow_xero.oauth import XeroApp, unreachable
from airflow_xero.pacing import CallsLeft, Pace
from airflow_xero.page import Answer, Page
from airflow_xero.patience import Patience
from airflow_xero.question import JSON, PAGE_SIZE, Question
from airflow_xero.waiting import Waiting
from airflow_xero.walking import (
    PAGES_AT_A_TIME,
    is_doubtful_end,
    pages_to_ask_for,
    refuse_misplaced,
)

__all__ = ["PAGE_SIZE", "Page", "XeroClient"]

RESERVED_CALLS = 100
"""Calls of a tenant's day that are left to other programs, unless another number is chosen."""

_NO_PARAMS: Params = MappingProxyType({})
_WAITING_BUDGET_SECONDS = 600.0
# Headers by which an API announces that something will end.
_NOTICES = ("Deprecation", "Sunset")

_log = logging.getLogger(__name__)


class XeroClient:
    """Reads pages of one user's organisations; safe to use from one task at a time.

    `access_token` gives a live token and is asked before every request, from a background
    thread, too. `renewed_token`, given the value that Xero refused as expired, gives another
    (`TokenStore.fresh(grant_id, rejected=value).value`); without it `access_token` is asked
    again. `http` stays the caller's to close. `reserved_calls` of a tenant's day are left alone.
    All waiting of one client together stays within ten minutes; pages that wait at the same time
    wait once. `calls_made` counts its requests by the endpoint's name, whatever became of them.
    """

    def __init__(
        self,
        app: XeroApp,
        *,
        access_token: Callable[[], str],
        http: httpx.Client,
        renewed_token: Callable[[str], str] | None = None,
        reserved_calls: int = RESERVED_CALLS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._app = app
        self._access_token = access_token
        self._renewed_token = renewed_token
        self._http = http
        self._pace = Pace(reserve=reserved_calls)
        self._waiting = Waiting(budget_seconds=_WAITING_BUDGET_SECONDS, sleep=sleep)
        self._counting = Lock()
        self.calls_made: Counter[str] = Counter()

    def pages(
        self,
        endpoint: Endpoint,
        tenant_id: str,
        *,
        since: datetime | None = None,
        first_page: int = 1,
        params: Params = _NO_PARAMS,
    ) -> Generator[Page]:
        """Walk an endpoint in order; up to four pages are fetched while one is handled.

        The last page is asked for when all others have come: then it tells what was edited. An
        empty one that ends a list of unknown length is asked for twice where it follows a full one.
        `since` (aware) asks for records changed after it; `params` for more than the endpoint's
        own. Raises every class of `errors.py` that an answer of Xero can mean.
        """
        request = Question(endpoint, tenant_id, since=since, extra=params)
        if endpoint.paging is Paging.NONE:
            yield self._page(request, Event())
        else:
            yield from self._walk(request, first_page)

    def page(self, endpoint: Endpoint, tenant_id: str, number: int) -> Page:
        """One page of the whole list, changed or not."""
        return self._page(Question(endpoint, tenant_id, number=number), Event())

    def record(
        self, endpoint: Endpoint, tenant_id: str, record_id: str, *, params: Params = _NO_PARAMS
    ) -> Page:
        """One record by its id, as a page that holds it alone."""
        request = Question(endpoint, tenant_id, below=(record_id,), extra=params)
        return self._page(request, Event())

    def ask(
        self,
        endpoint: Endpoint,
        tenant_id: str,
        *,
        below: Sequence[str] = (),
        params: Params = _NO_PARAMS,
        accept: str = JSON,
    ) -> Answer:
        """Whatever Xero has below an endpoint, as it is: a record, its history, a file, a PDF.

        `below` are the parts of the path after the endpoint's own, quoted here; `accept` is the
        media type wanted. Raises every class of `errors.py` that a refusal of Xero can mean.
        """
        request = Question(endpoint, tenant_id, below=tuple(below), extra=params, accept=accept)
        response, _ = self._answer(request, Event())
        return Answer(
            body=response.content,
            media_type=response.headers.get("Content-Type", "").partition(";")[0].strip().lower(),
            correlation_id=response.headers.get("Xero-Correlation-Id"),
        )

    def numbered(self, endpoint: Endpoint, tenant_id: str, *, after: int) -> Generator[Page]:
        """Journals with a number above `after`; `Page.number` is the number it was read after.

        A short page is no end: only an empty one is. Raises UnexpectedPayloadError, too, where a
        page tells nothing new: such a walk would have no end.
        """
        is_last = False
        while not is_last:
            request = Question(endpoint, tenant_id, extra={"offset": str(after)})
            page = self._page(request, Event())
            numbers = page.values_of("JournalNumber", int)
            is_last = not numbers
            if numbers and max(numbers) <= after:
                raise page.unexpected(f"it repeats journals up to number {max(numbers)}")
            yield replace(page, number=after, is_last=is_last)
            after = max(numbers, default=after)

    def _walk(self, first: Question, first_page: int) -> Generator[Page]:
        abandoned = Event()
        pool = ThreadPoolExecutor(PAGES_AT_A_TIME, thread_name_prefix="xero-next-page")

        def fetch(number: int) -> Page:
            return self._page(replace(first, number=number), abandoned)

        coming: dict[int, Future[Page]] = {}
        previous: Page | None = None
        try:
            # On most nights a list has one page, for which no thread is worth its start.
            page = fetch(first_page)
            while True:
                refuse_misplaced(previous, page)
                for ahead in pages_to_ask_for(page):
                    if ahead not in coming:
                        coming[ahead] = pool.submit(fetch, ahead)
                yield page
                if page.is_last:
                    return
                previous, page = page, coming.pop(page.number + 1).result()
                if is_doubtful_end(previous, page):
                    page = self._asked_again(replace(first, number=page.number), page, abandoned)
        finally:
            # Nobody waits for the pages that are under way when the caller gives up.
            abandoned.set()
            pool.shutdown(wait=False, cancel_futures=True)

    def _asked_again(self, request: Question, doubtful: Page, abandoned: Event) -> Page:
        """A page as it comes the second time, with the calls and seconds of both."""
        page = self._page(request, abandoned)
        if not page.is_last:
            _log.warning(
                "xero_page_falsely_empty tenant=%s endpoint=%s page=%s correlation_id=%s",
                request.tenant_id,
                request.endpoint.name,
                doubtful.number,
                doubtful.correlation_id,
            )
        seconds, calls = doubtful.seconds + page.seconds, doubtful.calls + page.calls
        return replace(page, seconds=seconds, calls=calls)

    def _page(self, request: Question, abandoned: Event) -> Page:
        started = time.monotonic()
        response, calls = self._answer(request, abandoned)
        endpoint, left = request.endpoint, _calls_left(response)
        envelope = envelope_of(
            response, tenant_id=request.tenant_id, endpoint=endpoint, page=request.number
        )
        is_last = (
            endpoint.paging is Paging.NONE
            or (envelope.page_count is not None and request.number >= envelope.page_count)
            or (envelope.page_count is None and envelope.is_empty)
        )
        return Page(
            endpoint=endpoint,
            number=request.number,
            body=response.content,
            xero_now=envelope.xero_now,
            page_count=envelope.page_count,
            item_count=envelope.item_count,
            seconds=time.monotonic() - started,
            calls=calls,
            minute_calls_left=left.minute,
            day_calls_left=left.day,
            is_last=is_last,
            notices=tuple(
                (name, response.headers[name]) for name in _NOTICES if name in response.headers
            ),
            correlation_id=response.headers.get("Xero-Correlation-Id"),
            tenant_id=request.tenant_id,
        )

    def _answer(self, request: Question, abandoned: Event) -> tuple[httpx.Response, int]:
        """Ask until Xero answers 200 or the question is hopeless; the answer and the calls."""
        patience = Patience()
        rejected: str | None = None
        calls = 0
        while True:
            try:
                # First, since a turn that was taken is a call.
                token = self._token(rejected)
                self._await_turn(request, abandoned)
                calls += 1
                response = self._get(request, token)
                if response.status_code == httpx.codes.OK:
                    return response, calls
                raise error_of(response, tenant_id=request.tenant_id, endpoint=request.endpoint)
            except XeroError as error:
                wait_seconds = patience.wait_after(error)
                if isinstance(error, ConsentLostError):
                    if rejected is not None or calls == 0:
                        raise
                    rejected = token
                elif wait_seconds is None:
                    raise
                _log.info(
                    "xero_retry tenant=%s endpoint=%s call=%s reason=%s wait_seconds=%.1f "
                    "correlation_id=%s",
                    request.tenant_id,
                    request.endpoint.name,
                    calls,
                    "token_expired" if rejected else type(error).__name__,
                    wait_seconds or 0.0,
                    error.correlation_id,
                )
                self._waiting.wait(wait_seconds or 0.0, error, abandoned)
                if isinstance(error, RateLimitError):
                    self._pace.forget(request.tenant_id, is_new_day=error.limit == "day")

    def _get(self, request: Question, token: str) -> httpx.Response:
        url = f"{self._app.api_url}/api.xro/2.0/{request.path()}"
        headers = {"Authorization": f"Bearer {token}", **request.headers()}
        left = CallsLeft()
        with self._counting:
            self.calls_made[request.endpoint.name] += 1
        try:
            response = self._http.get(url, params=request.params(), headers=headers)
            left = _calls_left(response)
            # An answer and its stream refer to each other: unless cut, bodies would pile up until
            # Python looks for cycles.
            response.stream = httpx.ByteStream(b"")
        except httpx.RequestError as error:
            # The cause would carry the request and with it the token.
            failure = unreachable(url, error)
            failure.tenant_id, failure.endpoint = request.tenant_id, request.endpoint.name
            raise failure from None
        finally:
            self._pace.note(request.tenant_id, left)
        return response

    def _token(self, rejected: str | None) -> str:
        if rejected is not None and self._renewed_token is not None:
            return self._renewed_token(rejected)
        return self._access_token()

    def _await_turn(self, request: Question, abandoned: Event) -> None:
        """Wait for the next minute when this one has no call left, rather than earn a 429."""
        while (seconds := self._pace.seconds_to_wait(request.tenant_id)) > 0:
            used_up = RateLimitError(
                "Xero's minute limit for this organisation is used up",
                limit="minute",
                retry_after_seconds=int(seconds) + 1,
                tenant_id=request.tenant_id,
                endpoint=request.endpoint.name,
            )
            self._waiting.wait(seconds, used_up, abandoned)
            self._pace.forget(request.tenant_id)


def _calls_left(response: httpx.Response) -> CallsLeft:
    return CallsLeft(
        minute=int_header(response, "X-MinLimit-Remaining"),
        day=int_header(response, "X-DayLimit-Remaining"),
        app_minute=int_header(response, "X-AppMinLimit-Remaining"),
    )
