"""Xero's answers to one organisation's questions as records, and refusals in words of what it was.

Knows how records lie in an answer. Must not know which questions there are or how they are spelled
(`records.py`), limits, retries or tokens (`client.py`), Postgres or Airflow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from airflow_xero.asking import Param, spelled
from airflow_xero.client import XeroClient
from airflow_xero.endpoint import Endpoint
from airflow_xero.errors import NotFoundError, UnexpectedPayloadError, XeroError
from airflow_xero.page import Answer, records_in

Record: TypeAlias = dict[str, Any]
"""A record as Xero spells it; a number with a point is a Decimal, never a float."""


class RecordAnswers:
    """What Xero answers about one organisation.

    `what` is the thing asked for as a message names it, `below` the parts of the path after the
    endpoint's own. Raises UnexpectedPayloadError for an answer without records, NotFoundError
    naming what Xero does not know, and what else `client.py` raises.
    """

    def __init__(self, client: XeroClient, tenant_id: str) -> None:
        self._client = client
        self._tenant_id = tenant_id

    def walk(
        self, row: Endpoint, params: Mapping[str, str], *, since: datetime | None = None
    ) -> Iterator[Record]:
        """The records of every page of a list, fetched while they are taken."""
        for page in self._client.pages(row, self._tenant_id, since=since, params=params):
            records = records_in(page.body, row.array_key)
            if records is None:
                raise page.unexpected(f"{row.array_key} is no list")
            yield from records

    def listed(
        self, row: Endpoint, *below: str, what: str, params: Mapping[str, Param] | None = None
    ) -> list[Record]:
        """The records of one answer."""
        answer = self.of(row, *below, what=what, params=params)
        records = records_in(answer.body, row.array_key)
        if records is None or not all(isinstance(each, dict) for each in records):
            raise self.unexpected(row, answer, f"The answer about {what} lacks {row.array_key}")
        return records

    def of(
        self,
        row: Endpoint,
        *below: str,
        what: str,
        params: Mapping[str, Param] | None = None,
        accept: str = "application/json",
    ) -> Answer:
        """One answer as it is; `accept` is the media type wanted."""
        query = {name: spelled(value) for name, value in (params or {}).items()}
        try:
            return self._client.ask(row, self._tenant_id, below=below, params=query, accept=accept)
        except NotFoundError as error:
            raise like(error, _unknown(what)) from None

    def first(self, found: list[Record], row: Endpoint, *, what: str) -> Record:
        """The first of the records found; raises NotFoundError when there is none."""
        if not found:
            raise self.missing(row, what=what)
        return found[0]

    def missing(self, row: Endpoint, *, what: str) -> NotFoundError:
        """The error for what an answer does not hold."""
        return NotFoundError(_unknown(what), tenant_id=self._tenant_id, endpoint=row.name)

    def unexpected(self, row: Endpoint, answer: Answer, message: str) -> UnexpectedPayloadError:
        """The refusal of an answer, which says where it came from."""
        return UnexpectedPayloadError(
            f"{message}; please report it",
            tenant_id=self._tenant_id,
            endpoint=row.name,
            correlation_id=answer.correlation_id,
        )


def like(error: XeroError, message: str) -> XeroError:
    """The same error in other words."""
    return type(error)(
        message,
        tenant_id=error.tenant_id,
        endpoint=error.endpoint,
        status=error.status,
        correlation_id=error.correlation_id,
    )


def _unknown(what: str) -> str:
    return f"Xero knows no {what} in this organisation: it was deleted, or is another one's"
