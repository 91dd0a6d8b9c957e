"""A month of an organisation that lives on, extracted every night, with the books' truth beside.

For tests alone. The truth of a night is what the sandbox serves in full, asked over HTTP by
nobody's watermark, right after the extraction and at the same moment of its clock. What the raw
tables must hold after each night is worked out from the truths, by what
docs/decisions/0012-what-xero-changes-without-a-stamp.md promises.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from psycopg import sql

from airflow_xero.endpoint import Cadence, Endpoint, Paging, Reading
from airflow_xero.endpoints import ENDPOINTS, report_key, report_params
from airflow_xero.extract import Tenant
from tests.warehouse.extraction import BY_NAME, NOW, ConnectedApp
from tests.warehouse.mischief import Mischief

Records = Mapping[str, Any]
Expected = Mapping[str, Records]

_API = "/api.xro/2.0/"
_REPORTS = tuple(each for each in ENDPOINTS if each.reading is Reading.REPORT)
_LISTS = tuple(each for each in ENDPOINTS if each.reading is not Reading.REPORT)
_AFTERNOON = timedelta(hours=-10)
_PAST_DAYS = 800


@dataclass(frozen=True)
class Version:
    """A row of a raw table."""

    record_id: str
    known_from: datetime
    known_to: datetime | None
    is_deleted: bool
    payload: Any = field(repr=False)

    def is_known_at(self, moment: datetime) -> bool:
        """Whether this is what was known then."""
        return self.known_from <= moment and (self.known_to is None or moment < self.known_to)


@dataclass(frozen=True)
class Night:
    """One extraction: what it was, what it read, and what was true."""

    day: date
    known_at: datetime
    read: frozenset[str]
    told: Expected = field(repr=False)


@dataclass(frozen=True)
class Month:
    """The nights in their order, and every row that the raw tables hold at the end."""

    nights: Sequence[Night]
    rows: Mapping[str, Sequence[Version]] = field(repr=False)
    done: Mapping[str, int] = field(repr=False)

    def known(self, endpoint: Endpoint, night: Night) -> dict[str, Any]:
        """What the raw table knew on a night, by id; a record that is there twice fails."""
        found = [
            each
            for each in self.rows[endpoint.name]
            if each.is_known_at(night.known_at) and not each.is_deleted
        ]
        by_id = {each.record_id: _compared(endpoint, each.payload) for each in found}
        assert len(by_id) == len(found)
        return by_id

    def promised(self, endpoint: Endpoint) -> Iterator[tuple[Night, dict[str, Any]]]:
        """Each night, and what the raw table promises to have known then, by id."""
        held: dict[str, Any] = {}
        before: Records = {}
        for night in self.nights:
            told = night.told[endpoint.name]
            held = _held_after(endpoint, night, held=held, before=before)
            before = told
            yield night, held


def _held_after(
    endpoint: Endpoint, night: Night, *, held: Mapping[str, Any], before: Records
) -> dict[str, Any]:
    told = {key: _compared(endpoint, record) for key, record in night.told[endpoint.name].items()}
    if endpoint.reading is Reading.REPORT:
        # Only what was asked for is told.
        return {**held, **told}
    if endpoint.name not in night.read:
        return dict(held)
    if endpoint.reading in (Reading.FULL, Reading.DETAILS) or endpoint.reread_nights:
        return told
    # What a record shows of others is as it was when its own stamp last moved; a journal has none.
    return {
        key: held[key] if key in before and _is_unmoved(before[key], record) else record
        for key, record in told.items()
    }


def _is_unmoved(before: Any, now: Any) -> bool:
    return bool(before.get("UpdatedDateUTC") == now.get("UpdatedDateUTC"))


def _compared(endpoint: Endpoint, record: Any) -> Any:
    # Titles and stamps of a report differ at every reading.
    return record["Rows"] if endpoint.reading is Reading.REPORT else record


def exact(text: str) -> Any:
    """JSON in which every digit counts: 1.10 is not 1.1, and neither is a text."""
    return json.loads(text, parse_float=lambda digits: ("number", digits))


class LivingMonth:
    """Lives through the nights, and keeps what was true; `month()` reads the raw tables."""

    def __init__(self, xero: ConnectedApp, *, seed: int, traits: Mapping[str, Any]) -> None:
        self.xero = xero
        xero.endpoints = ENDPOINTS
        xero.sandbox.control("POST", "limits", {"enabled": False})
        wanted = {"name": "Living Ltd", "seed": seed, "days": 60, "traits": traits}
        made = xero.sandbox.control("POST", "organisations", wanted)
        self.tenant: Tenant = xero.connect_to(made["tenantId"])
        self.mischief = Mischief(seed, lambda action, **f: xero.do(self.tenant, action, **f))
        self.nights: list[Night] = []

    def live(self, number: int, *, deeds: int, backfill_calls: int = 0) -> None:
        """One more day and its night."""
        now = NOW + timedelta(days=number)
        day = now.date() - timedelta(days=1)
        if self.nights:
            self.xero.set_clock(now + _AFTERNOON)
            self.mischief.spend_a_day(self.nights[-1].told, now.date(), deeds=deeds)
        self.xero.set_clock(now)
        extracted = self.xero.extract(self.tenant, day, backfill_calls=backfill_calls)
        assert (extracted.state, extracted.gaps) == ("complete", {})
        (known_at,) = self.xero.one(
            "select known_at from xero_ops.extract_runs where run_id = %s", extracted.run_id
        )
        asked = self._asked_reports(day)
        self.nights.append(
            Night(day, known_at, frozenset(extracted.counts), self._told(day, asked))
        )

    def month(self) -> Month:
        """The month as it is at its end."""
        rows = {each.name: self._rows(each.name) for each in ENDPOINTS}
        return Month(tuple(self.nights), rows, dict(self.mischief.done))

    def _rows(self, table: str) -> list[Version]:
        found = self.xero.rows.execute(
            sql.SQL(
                "select record_id, known_from, known_to, is_deleted, payload::text from {}"
                " where tenant_id = %s order by record_id, known_from"
            ).format(sql.Identifier("xero_raw", table)),
            (self.tenant.tenant_id,),
        ).fetchall()
        return [
            Version(record_id, known_from, known_to, is_deleted=is_deleted, payload=exact(text))
            for record_id, known_from, known_to, is_deleted, text in found
        ]

    # The truth

    def _asked_reports(self, day: date) -> dict[str, dict[str, Mapping[str, str]]]:
        """By endpoint: the key and the parameters of every report that this night asked for."""
        meant = {
            (each.path, frozenset(report_params(each, past, basis).items())): (
                each.name,
                report_key(each, past, basis),
            )
            # The day itself comes last: a month has one budget summary, kept under its day.
            for past in (day - timedelta(days=ago) for ago in range(_PAST_DAYS, -1, -1))
            for each in _REPORTS
            if each.cadence is Cadence.DAILY or past == day
            for basis in (each.report.bases if each.report else ())
        }
        asked: dict[str, dict[str, Mapping[str, str]]] = {each.name: {} for each in _REPORTS}
        for call in self.xero.sandbox.control("GET", "requests"):
            path = call["path"].removeprefix(_API)
            if path.startswith("Reports/"):
                params = dict(parse_qsl(call["query"]))
                name, key = meant[path, frozenset(params.items())]
                asked[name][key] = params
        return asked

    def _told(
        self, day: date, asked: Mapping[str, Mapping[str, Mapping[str, str]]]
    ) -> dict[str, Records]:
        headers = {
            "Accept": "application/json",
            "Authorization": f"Bearer {self.xero.token(self.tenant)}",
            "Xero-Tenant-Id": self.tenant.tenant_id,
        }

        def get(path: str, params: Mapping[str, str]) -> Any:
            url = f"{self.xero.sandbox.url}{_API}{path}"
            response = self.xero.http.get(url, params=params, headers=headers)
            assert response.status_code == 200, response.text
            return exact(response.text)

        told: dict[str, Records] = {
            name: {key: get(BY_NAME[name].path, params)["Reports"][0] for key, params in of.items()}
            for name, of in asked.items()
        }
        for endpoint in _LISTS:
            records = {
                record[endpoint.id_field]: record for record in _listed(endpoint, get, day=day)
            }
            told[endpoint.name] = self._thrifty(endpoint.name, records)
        return told

    def _thrifty(self, name: str, records: dict[str, Any]) -> dict[str, Any]:
        """The same records, sharing what is as it was the night before."""
        before = self.nights[-1].told[name] if self.nights else {}
        return {
            key: before[key] if key in before and before[key] == record else record
            for key, record in records.items()
        }


def _listed(endpoint: Endpoint, get: Any, *, day: date) -> Iterator[Any]:
    """Every record, asked for without any condition."""
    if endpoint.reading is Reading.NUMBERS:
        yield from _numbered(endpoint, get)
        return
    number, count = 1, 1
    while number <= count:
        paged = {} if endpoint.paging is Paging.NONE else {"page": str(number), "pageSize": "500"}
        body = get(endpoint.path, {**endpoint.params, **paged})
        records = body[endpoint.array_key]
        if endpoint.reading is Reading.DETAILS:
            window = _window(day)
            records = [
                get(f"{endpoint.path}/{each[endpoint.id_field]}", window)[endpoint.array_key][0]
                for each in records
            ]
        yield from records
        if endpoint.paging is Paging.HUNDREDS and records:
            count += 1
        count = body.get("pagination", {"pageCount": count})["pageCount"]
        number += 1


def _numbered(endpoint: Endpoint, get: Any) -> Iterator[Any]:
    after = 0
    while records := get(endpoint.path, {**endpoint.params, "offset": str(after)})["Journals"]:
        yield from records
        after = records[-1]["JournalNumber"]


def _window(day: date) -> dict[str, str]:
    first = day.replace(day=1)
    end = first.replace(year=first.year + 1) - timedelta(days=1)
    return {"DateFrom": first.replace(year=first.year - 1).isoformat(), "DateTo": end.isoformat()}
