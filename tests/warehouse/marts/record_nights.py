"""An organisation in which only what a test lets happen happens, extracted night by night.

Knows the sandbox's actions and the tables of the extraction; must not know what a model computes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

import psycopg

from airflow_xero.endpoint import Endpoint, Reading
from airflow_xero.endpoints import ENDPOINTS
from xero_sandbox.business.company import Company, build_company

Record: TypeAlias = dict[str, Any]
_LISTS = tuple(each for each in ENDPOINTS if each.reading in (Reading.FULL, Reading.CHANGES))


@dataclass
class Counted:
    """What an extraction read, over all endpoints."""

    read: int = 0
    new: int = 0
    changed: int = 0
    deleted: int = 0


@dataclass
class Nights:
    """One organisation, its people's deeds and its extractions."""

    dsn: str
    company: Company
    counted: dict[date, Counted] = field(default_factory=dict)
    _known: dict[str, dict[str, str]] = field(default_factory=dict)

    def act(self, action: str, at: datetime, /, **fields: Any) -> Record:
        """Somebody does this at that moment; the record as it is then."""
        return dict(self.company.act(action, fields, now=at))

    def extract(self, night: datetime, *, day: date | None = None, closes_day: bool = True) -> None:
        """A complete extraction of the day before, or of another `day`."""
        self.company.advance(night)
        day = day or night.date() - timedelta(days=1)
        counted = self.counted.setdefault(day, Counted())
        with psycopg.connect(self.dsn) as connection:
            run_id = self._start(connection, night, day, closes_day=closes_day)
            for endpoint in _LISTS:
                self._store(connection, endpoint, (night, run_id), counted)
            connection.execute(
                "update xero_ops.tenants set complete_at = %s,"
                " complete_day = greatest(complete_day, case when %s then %s::date end)"
                " where tenant_id = %s",
                (night, closes_day, day, self.company.tenant_id),
            )

    def call(self, on_date: date, endpoint: str, *, calls: int, size: int, left: int) -> None:
        """Xero was asked on this date."""
        self._execute(
            "insert into xero_ops.endpoint_days values (%s, %s, %s, %s, %s, 1, %s)",
            *(self.company.tenant_id, on_date, endpoint, calls, size, left),
        )

    def consent(self, refreshed_at: datetime, *, state: str = "active") -> None:
        """Somebody's consent reaches the organisation, last refreshed then."""
        self._execute(
            "with granted as (insert into xero_ops.grants (conn_id, xero_user_id, scopes, tokens,"
            " access_expires_at, refreshed_at, state, connected_by)"
            " values ('xero_default', gen_random_uuid(), '{}', 'sealed', %s, %s, %s, 'ada')"
            " returning grant_id)"
            " insert into xero_ops.connections (connection_id, conn_id, grant_id, tenant_id,"
            " connected_at) select gen_random_uuid(), 'xero_default', grant_id, %s, %s"
            " from granted",
            *(refreshed_at, refreshed_at, state, self.company.tenant_id, refreshed_at),
        )

    def _execute(self, query: str, *values: Any) -> None:
        with psycopg.connect(self.dsn) as connection:
            connection.execute(query, values)

    def _start(
        self, connection: psycopg.Connection[Any], night: datetime, day: date, *, closes_day: bool
    ) -> int:
        tenant_id = self.company.tenant_id
        connection.execute(
            "insert into xero_ops.tenants (tenant_id, tenant_name) values (%s, %s)"
            " on conflict do nothing",
            (tenant_id, self.company.name),
        )
        row = connection.execute(
            "insert into xero_ops.extract_runs (tenant_id, day, known_at, state, closes_day)"
            " values (%s, %s, %s, 'complete', %s) returning run_id",
            (tenant_id, day, night, closes_day),
        ).fetchone()
        return int(row[0]) if row else 0

    def _store(
        self,
        connection: psycopg.Connection[Any],
        endpoint: Endpoint,
        at: tuple[datetime, int],
        counted: Counted,
    ) -> None:
        said = {
            str(each[endpoint.id_field]): json.dumps(each, default=_number)
            for each in self.company.records(endpoint.array_key)
        }
        known = self._known.get(endpoint.name, {})
        new = said.keys() - known.keys()
        changed = {key for key in said.keys() & known.keys() if said[key] != known[key]}
        gone = known.keys() - said.keys()
        self._known[endpoint.name] = said
        versions = [(key, said[key], False) for key in sorted(new | changed)]
        versions += [(key, known[key], True) for key in sorted(gone)]
        self._open(connection, endpoint, at, versions)
        connection.execute(
            "insert into xero_ops.extract_endpoints (run_id, tenant_id, endpoint, records_read,"
            " records_new, records_changed, records_deleted) values (%s, %s, %s, %s, %s, %s, %s)",
            (
                *(at[1], self.company.tenant_id, endpoint.name),
                *(len(said), len(new), len(changed), len(gone)),
            ),
        )
        counted.read += len(said)
        counted.new += len(new)
        counted.changed += len(changed)
        counted.deleted += len(gone)

    def _open(
        self,
        connection: psycopg.Connection[Any],
        endpoint: Endpoint,
        at: tuple[datetime, int],
        versions: list[tuple[str, str, bool]],
    ) -> None:
        night, run_id = at
        tenant_id = self.company.tenant_id
        connection.execute(
            f"update xero_raw.{endpoint.name} set known_to = %s"
            " where tenant_id = %s and known_to is null and record_id = any(%s)",
            (night, tenant_id, [key for key, _, _ in versions]),
        )
        connection.cursor().executemany(
            f"insert into xero_raw.{endpoint.name} (tenant_id, record_id, known_from,"
            " xero_updated_at, payload, is_deleted, run_id) values (%s, %s, %s, %s, %s, %s, %s)",
            [
                (tenant_id, key, night, _stamp(json.loads(text)), text, is_gone, run_id)
                for key, text, is_gone in versions
            ],
        )


def nights_of(dsn: str, name: str, *, opened_at: datetime, **traits: Any) -> Nights:
    """An organisation that does no business of its own."""
    return Nights(dsn, build_company(name, seed=9, days=0, now=opened_at, traits=traits))


def _stamp(record: Mapping[str, Any]) -> datetime | None:
    text = record.get("UpdatedDateUTC")
    if text is None:
        return None
    milliseconds = int(str(text).removeprefix("/Date(").split("+")[0].rstrip(")/"))
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)


def _number(amount: object) -> float:
    if isinstance(amount, Decimal):
        return float(amount)
    raise TypeError(amount)
