"""A small organisation with a few records of every kind, extractions of it that go wrong, and
the books it must end equal to.

For tests alone. Tries are repeated as Airflow would, by the decisions of the retry policy; what
only a person can repair is repaired as a person would. What a watermark claims is checked after
every try.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from airflow.sdk.definitions.retry_policy import RetryAction
from psycopg import sql

from airflow_xero.endpoint import Endpoint, Paging, Reading
from airflow_xero.endpoints import ENDPOINTS, report_key, report_params
from airflow_xero.errors import ConsentLostError, NotConnectedError, XeroError, XeroSetupError
from airflow_xero.extract import Extracted
from airflow_xero.retry import XeroRetryPolicy
from tests.warehouse.extraction import BY_NAME, DAY, NOW, SCOPES, ConnectedApp, OnResponse
from xero_sandbox.wire.format import dump

PAGE_SIZE = 3
_MOST_PRESSES = 10
RECORDS = 7
# Of lists as long as Xero's own pages make them.
_FULL_PAGE_SIZE = 100
_MANY_RECORDS = 207
CLOCK = ENDPOINTS[0]
REPORTS = [each for each in ENDPOINTS if each.reading is Reading.REPORT]
LISTS = [each for each in ENDPOINTS if each.reading is not Reading.REPORT]
# Rather far more than any mixture needs: nobody tries for ever.
MOST_TRIES = 60
_POLICY = XeroRetryPolicy()
_MILLISECONDS = timedelta(milliseconds=1)
# Several nights of extraction later, everything that stays fresh for half an hour is due again.
_HALF_AN_HOUR = timedelta(minutes=31)

# What extractions remember, in an order in which it can be deleted.
OPS = (
    "xero_ops.cursors",
    "xero_ops.watermarks",
    "xero_ops.rereads",
    "xero_ops.wanted_reports",
    "xero_ops.report_readings",
    "xero_ops.extract_endpoints",
    "xero_ops.extract_runs",
)

Books = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Ended:
    """How one try ended; `action` is what Airflow does after a failed one, `gaps` what was left."""

    state: str
    error: XeroError | None = None
    action: RetryAction | None = None
    gaps: Mapping[str, str] | None = None


class World:
    """A connected organisation of given payloads: seven records of everything that is paged.

    `endpoints` are those to read. `lies` is set by tests in which Xero's answers were not true:
    then no claim about payloads can hold before everything is read again.
    """

    def __init__(self, xero: ConnectedApp, folder: Path, source: Mapping[str, Any]) -> None:
        self.xero = xero
        self.folder = folder
        self._source = source
        folder.mkdir(exist_ok=True)
        self.begin_again()
        self.tenant = xero.connect_to(xero.serve(folder))

    def begin_again(self) -> None:
        """As if nothing had been read or edited yet; what was connected stays so."""
        self.now = NOW
        self.lies = False
        self.page_size, self.count = PAGE_SIZE, RECORDS
        self.records = {key: list(records) for key, records in self._source.items()}
        for key in self.records:
            self._write(key)
        self.xero.endpoints = ENDPOINTS
        self.xero.set_clock(self.now)
        self._serve_pages()
        for table in (*OPS, *(f"xero_raw.{name}" for name in BY_NAME)):
            self.xero.rows.execute(
                sql.SQL("delete from {}").format(sql.Identifier(*table.split(".")))
            )

    def lengthen(self) -> None:
        """Let every list of several pages have many, none shorter than Xero's own."""
        self.page_size, self.count = _FULL_PAGE_SIZE, _MANY_RECORDS
        for endpoint in LISTS:
            records = self.records[endpoint.array_key]
            if endpoint.paging is not Paging.NONE or endpoint.reading is Reading.NUMBERS:
                more = range(len(records), self.count)
                records += [_copy(records[0], endpoint, number) for number in more]
                self._write(endpoint.array_key)
        self._serve_pages()

    def _serve_pages(self) -> None:
        limits = {"enabled": False, "page_size": self.page_size}
        self.xero.sandbox.control("POST", "limits", limits)
        self.xero.serve(self.folder)

    # What is true

    def books(self, endpoints: Sequence[Endpoint] | None = None) -> Books:
        """Every record by endpoint and id, as the organisation's books have it now."""
        wanted = self.xero.endpoints if endpoints is None else endpoints
        return {each.name: self._reports(each) or self._listed(each) for each in wanted}

    def _listed(self, endpoint: Endpoint) -> dict[str, Any]:
        records = self.records[endpoint.array_key]
        exact = json.loads(dump(records), parse_float=Decimal)
        return {record[endpoint.id_field]: record for record in exact}

    def _reports(self, endpoint: Endpoint) -> dict[str, Any]:
        bases = endpoint.report.bases if endpoint.report else ()
        found = {
            report_key(endpoint, DAY, basis): self._report(endpoint, DAY, basis) for basis in bases
        }
        if endpoint.name == "trial_balances":
            for day in self._closed_years():
                found[report_key(endpoint, day)] = self._report(endpoint, day)
                if not shows_accounts(found[report_key(endpoint, day)]):
                    break
        return found

    def _report(self, endpoint: Endpoint, day: date, basis: str = "accrual") -> Any:
        params = report_params(endpoint, day, basis)
        [report] = self.xero._get(self.tenant, endpoint.path, params)["Reports"]
        return rows_of(report)

    def _closed_years(self) -> list[date]:
        """Whose last days are read of books in several currencies, back to the first empty one."""
        reads_currencies = any(each.name == "currencies" for each in self.xero.endpoints)
        if not reads_currencies or len(self.records["Currencies"]) < 2:
            return []
        [organisation] = self.records["Organisations"]
        ends_on = organisation["FinancialYearEndMonth"], organisation["FinancialYearEndDay"]
        ends = [date(DAY.year - ago, *ends_on) for ago in range(20)]
        return [end for end in ends if end < DAY]

    def stored(self, endpoint: Endpoint) -> dict[str, Any]:
        """What the warehouse has of an endpoint now."""
        stored = self.xero.stored(self.tenant, endpoint.name)
        is_report = endpoint.reading is Reading.REPORT
        return {key: rows_of(body) for key, body in stored.items()} if is_report else stored

    # What happens meanwhile

    def edit(self, random: Random) -> None:
        """Somebody edits a document, which moves it to the end of its list."""
        endpoint = random.choice([e for e in ENDPOINTS if e.paging is Paging.SIZED])
        records = self.records[endpoint.array_key]
        moment = datetime.fromisoformat(self.xero.sandbox.control("GET", "clocks")["business"])
        stamp = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // _MILLISECONDS
        edited = records.pop(random.randrange(len(records)))
        edited |= {"Reference": f"edited {stamp}", "UpdatedDateUTC": f"/Date({stamp}+0000)/"}
        records.append(edited)
        self._write(endpoint.array_key)
        self.xero.serve(self.folder)

    def faults_met(self) -> set[str]:
        """The kinds of fault that the last try met."""
        return {call["fault"] for call in self.xero._logged() if call["fault"]}

    def wait_until_due(self) -> None:
        """Time passes, so that nothing counts as read a moment ago."""
        self.now += _HALF_AN_HOUR
        self.xero.set_clock(self.now)

    def connect_again(self) -> None:
        """As a person does, who presses the button once more when the consent fails, too."""
        for presses_left in reversed(range(_MOST_PRESSES)):
            try:
                self.tenant = self.xero.connect_to(self.tenant.tenant_id, scopes=SCOPES)
                return
            except XeroError:
                if not presses_left:
                    raise

    def forget_watermarks(self) -> None:
        """As a person would who wants everything read again."""
        self.xero.rows.execute("delete from xero_ops.watermarks")
        self.xero.rows.execute("delete from xero_ops.cursors")
        self.lies = False

    def _write(self, key: str) -> None:
        (self.folder / f"{key}.json").write_bytes(dump({key: self.records[key]}))


def records_of_every_kind(xero: ConnectedApp) -> dict[str, list[Any]]:
    """A few real records of each list of a trading company, by array key."""
    traits = {"invoices_per_day": 1, "bills_per_day": 1, "bank_transactions_per_day": 1}
    company = xero.organisation(
        "Source", days=45, features=["all"], customers=5, suppliers=4, **traits
    )
    found: dict[str, list[Any]] = {}
    for endpoint in (each for each in ENDPOINTS if each.reading is not Reading.REPORT):
        key, params = endpoint.array_key, dict(endpoint.params)
        if endpoint.paging is not Paging.NONE:
            params |= {"page": "1", "pageSize": str(RECORDS)}
        found[key] = xero._get(company, endpoint.path, params)[key][:RECORDS]
        if endpoint.paging is not Paging.NONE:
            found[key] += [_copy(found[key][0], endpoint, n) for n in range(len(found[key]), 7)]
    return found


def _copy(record: Mapping[str, Any], endpoint: Endpoint, number: int) -> dict[str, Any]:
    copied = {**record, endpoint.id_field: f"00000000-0000-4000-8000-{number:012d}"}
    is_numbered = endpoint.reading is Reading.NUMBERS
    return {**copied, "JournalNumber": number + 1} if is_numbered else copied


def shows_accounts(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a report has any line but headings and totals."""
    return any(row["RowType"] == "Row" or shows_accounts(row.get("Rows", ())) for row in rows)


def rows_of(report: Mapping[str, Any]) -> Any:
    """What a report says; its titles and stamps change at every reading."""
    return report["Rows"]


# Which call goes wrong

CALLS = ("first call", "later call")


def first_calls() -> list[tuple[str, dict[str, Any]]]:
    """For every endpoint, a rule that takes its first call."""
    return [(each.name, _rule(each)) for each in ENDPOINTS]


def later_calls(world: World) -> list[tuple[str, dict[str, Any]]]:
    """For every endpoint that takes several calls, a rule that takes a later one."""
    found = []
    for endpoint in ENDPOINTS:
        later: dict[str, str] = {}
        path = endpoint.path
        if endpoint.paging is not Paging.NONE:
            later = {"page": "2"}
        elif endpoint.reading is Reading.NUMBERS:
            later = {"offset": str(world.page_size)}
        elif endpoint.reading is Reading.DETAILS:
            path = f"{path}/{world.records[endpoint.array_key][1][endpoint.id_field]}"
        elif endpoint.report and len(endpoint.report.bases) > 1:
            later = {"paymentsOnly": "true"}
        else:
            continue
        rule = _rule(endpoint)
        found.append((endpoint.name, {"path": path, "query": {**rule["query"], **later}}))
    return found


def _rule(endpoint: Endpoint) -> dict[str, Any]:
    cash = {"paymentsOnly": "true"} if endpoint.name == "cash_journals" else {}
    return {"path": endpoint.path, "query": cash}


def arrange(world: World, calls: str, **fault: Any) -> list[str]:
    """Let the fault wait at each endpoint; the names of the endpoints, in the order of reading."""
    rules = first_calls() if calls == "first call" else later_calls(world)
    for _, rule in rules:
        world.xero.fault(**rule, **fault)
    return [name for name, _ in rules]


def faults_left(world: World) -> list[Any]:
    left: list[Any] = world.xero.sandbox.control("GET", "faults")
    return left


# Tries


def try_once(world: World, number: int = 1, *, on_response: OnResponse | None = None) -> Ended:
    """One try of the task; nothing but an error of ours may end it."""
    try:
        extracted: Extracted = world.xero.extract(world.tenant, on_response=on_response)
    except XeroError as error:
        action = _POLICY.evaluate(error, number, MOST_TRIES).action
        return Ended("failed", error, action)
    return Ended(extracted.state, gaps=dict(extracted.gaps))


def persevere(
    world: World,
    *,
    after_each: Callable[[Ended], None] | None = None,
    on_response: OnResponse | None = None,
) -> list[Ended]:
    """Try until everything was read; how each try ended.

    As Airflow and people would: a busy Xero is asked again, a limit resumed, a consent renewed,
    and where trying again cannot help, or something was left out, the next night tries.
    """
    tries: list[Ended] = []
    while not tries or tries[-1].state != "complete" or tries[-1].gaps:
        assert len(tries) < MOST_TRIES, tries[-5:]
        ended = try_once(world, len(tries) + 1, on_response=on_response)
        tries.append(ended)
        assert_claims_hold(world)
        if after_each is not None:
            after_each(ended)
        if isinstance(ended.error, XeroSetupError) or ended.gaps:
            _repair(world, ended)
    return tries


def _repair(world: World, ended: Ended) -> None:
    """What a person does about a consent that is gone, and time about what was left out."""
    was_disconnected = "disconnected" in world.faults_met()
    if isinstance(ended.error, ConsentLostError | NotConnectedError) or was_disconnected:
        world.connect_again()
    elif ended.gaps:
        world.wait_until_due()


# What must hold


def assert_equal(world: World, books: Books | None = None) -> None:
    """The raw tables hold exactly the books: the same ids, the same payloads, each once."""
    truth = books or world.books()
    for name, records in truth.items():
        stored = world.stored(BY_NAME[name])
        assert set(stored) == set(records), name
        assert stored == records, name
    cursors = world.xero.rows.execute("select endpoint from xero_ops.cursors").fetchall()
    assert cursors == []
    assert world.xero.one(
        "select complete_at = (select max(known_at) from xero_ops.extract_runs)"
        " from xero_ops.tenants where tenant_id = %s",
        world.tenant.tenant_id,
    ) == (True,)


def assert_claims_hold(world: World) -> None:
    """What a watermark says was read is stored as it is in the books; no page is there in half."""
    marks = {
        name: (moment, number)
        for name, moment, number in world.xero.rows.execute(
            "select endpoint, modified_since, last_number from xero_ops.watermarks"
            " where tenant_id = %s",
            (world.tenant.tenant_id,),
        ).fetchall()
    }
    lists = [each for each in world.xero.endpoints if each.reading is not Reading.REPORT]
    truth = world.books(lists)
    for endpoint in lists:
        stored = world.stored(endpoint)
        if endpoint.name in marks and not world.lies:
            claimed = _claimed(endpoint, truth[endpoint.name], *marks[endpoint.name])
            assert {key: stored.get(key) for key in claimed} == claimed, endpoint.name
        assert set(stored) <= set(truth[endpoint.name]), endpoint.name
        if endpoint.paging is not Paging.NONE and endpoint.name not in marks:
            is_whole = len(stored) == world.count
            assert len(stored) % world.page_size == 0 or is_whole, endpoint.name


def _claimed(
    endpoint: Endpoint, records: Mapping[str, Any], moment: datetime, number: int | None
) -> dict[str, Any]:
    if endpoint.reading is Reading.NUMBERS:
        return {key: r for key, r in records.items() if r["JournalNumber"] <= (number or 0)}
    return {key: r for key, r in records.items() if _stamp_of(r) <= moment}


def _stamp_of(record: Mapping[str, Any]) -> datetime:
    text = str(record.get("UpdatedDateUTC", "/Date(0)/"))
    milliseconds = int(text.removeprefix("/Date(").split("+")[0].split(")")[0])
    return datetime(1970, 1, 1, tzinfo=UTC) + milliseconds * _MILLISECONDS
