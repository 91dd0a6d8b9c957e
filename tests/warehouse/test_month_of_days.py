"""An organisation that lives on is extracted every night: what is stored is what was true.

Each endpoint is compared with the sandbox's books as they were on each night, as current and as
known then, by what docs/decisions/0012-what-xero-changes-without-a-stamp.md promises of it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from itertools import pairwise
from typing import Any

import pytest

from airflow_xero.endpoint import Cadence, Endpoint, Reading
from airflow_xero.endpoints import ENDPOINTS
from local_stack.postgres import EmbeddedPostgres
from tests.warehouse.extraction import BY_NAME, DAY, ConnectedApp
from tests.warehouse.living import LivingMonth, Month
from tests.warehouse.mischief import DEEDS
from xero_sandbox.testing import SandboxServer

TRAITS = {"features": ["all"], "invoices_per_day": 1.0}
DEEDS_A_DAY = 6
FEW_NIGHTS, ALL_NIGHTS = 9, 31
# What is read of the past in a night of the campaign: the history is whole long before the end.
BACKFILL_CALLS = 40
CAMPAIGN_SEEDS = (3, 11)

each_endpoint = pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda each: each.name)

# What a list without a re-reading shows of other records, which it may show as it was; and whether
# files hang on a record, which moves no stamp either.
OF_OTHERS = {
    "payments": {"Invoice", "Prepayment", "Overpayment", "HasAttachments"},
    "prepayments": {"Contact", "LineItems", "HasAttachments"},
    "overpayments": {"Contact", "LineItems", "HasAttachments"},
    "manual_journals": {"JournalLines", "HasAttachments"},
    "purchase_orders": {"Contact", "LineItems", "HasAttachments"},
    "quotes": {"Contact", "LineItems", "HasAttachments"},
    "journals": {"JournalLines"},
    "cash_journals": {"JournalLines"},
}

# Of whom Xero forgets at their request, earlier versions keep only this.
LEFT_OF_THE_FORGOTTEN = {
    "ContactID",
    "ContactStatus",
    "UpdatedDateUTC",
    "IsSupplier",
    "IsCustomer",
}


@contextmanager
def living(postgres_server: EmbeddedPostgres, template: str, seed: int) -> Iterator[LivingMonth]:
    """An organisation of a sandbox of its own, in a warehouse of its own."""
    name = f"month_{uuid.uuid4().hex}"
    postgres_server.create_database(name, template=template)
    with (
        SandboxServer(demo=False) as sandbox,
        ConnectedApp(sandbox, postgres_server.dsn(name)) as xero,
    ):
        yield LivingMonth(xero, seed=seed, traits=TRAITS)
    postgres_server.drop_database(name)


@pytest.fixture(scope="module")
def few_nights(postgres_server: EmbeddedPostgres, warehouse_template: str) -> Month:
    """Nine nights, so that what is read weekly was read twice."""
    with living(postgres_server, warehouse_template, seed=1) as life:
        for number in range(FEW_NIGHTS):
            life.live(number, deeds=DEEDS_A_DAY)
        return life.month()


@pytest.fixture(scope="module", params=CAMPAIGN_SEEDS, ids=lambda seed: f"seed-{seed}")
def whole_month(
    request: pytest.FixtureRequest, postgres_server: EmbeddedPostgres, warehouse_template: str
) -> Month:
    """A month of nights, and the past fetched beside them."""
    with living(postgres_server, warehouse_template, seed=request.param) as life:
        for number in range(ALL_NIGHTS):
            life.live(number, deeds=DEEDS_A_DAY, backfill_calls=BACKFILL_CALLS)
        return life.month()


def holds_what_was_true(month: Month, endpoint: Endpoint) -> None:
    """As known on each night, and as current at the end; of whom Xero forgot, only that."""
    forgotten = {
        each.record_id: each.known_from
        for each in month.rows[endpoint.name]
        if endpoint.name == "contacts" and each.payload["ContactStatus"] == "GDPRREQUEST"
    }
    for night, promised in month.promised(endpoint):
        kept = {
            key: left_of(record) if key in forgotten and night.known_at < forgotten[key] else record
            for key, record in promised.items()
        }
        assert month.known(endpoint, night) == kept, night.day
    assert promised


def left_of(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is still known of a contact as it was before Xero forgot it."""
    return {name: record[name] for name in LEFT_OF_THE_FORGOTTEN if name in record}


def never_repeats(month: Month, endpoint: Endpoint) -> None:
    """A record's versions follow one another without gap, overlap or repetition."""
    rows = month.rows[endpoint.name]
    for before, after in pairwise(rows):
        if before.record_id == after.record_id:
            assert before.known_to == after.known_from
            is_news = (before.is_deleted, before.payload) != (after.is_deleted, after.payload)
            assert is_news or set(before.payload) <= LEFT_OF_THE_FORGOTTEN, before
        else:
            assert before.known_to is None
    assert rows[-1].known_to is None


def marks_what_was_deleted(month: Month, endpoint: Endpoint) -> None:
    """Deleted is exactly what was promised once and is no more."""
    ever, last = set(), set()
    for _, promised in month.promised(endpoint):
        last = set(promised)
        ever |= last
    current = [each for each in month.rows[endpoint.name] if each.known_to is None]
    assert {each.record_id for each in current if each.is_deleted} == ever - last
    assert {each.record_id for each in current if not each.is_deleted} == last


def is_read_when_it_is_due(month: Month, endpoint: Endpoint) -> None:
    """Daily, weekly (or earlier, when a document named an unknown id) or monthly."""
    read = [number for number, night in enumerate(month.nights) if endpoint.name in night.read]
    if endpoint.cadence is Cadence.DAILY:
        assert read == list(range(len(month.nights)))
    elif endpoint.cadence is Cadence.WEEKLY:
        assert read[0] == 0
        assert all(later - earlier <= 7 for earlier, later in pairwise(read))
        assert len(month.nights) - 1 - read[-1] < 7
    else:
        months = [month.nights[number].day.strftime("%Y-%m") for number in read]
        assert months == sorted({night.day.strftime("%Y-%m") for night in month.nights})


def is_current_but_for_what_it_shows_of_others(month: Month, endpoint: Endpoint) -> None:
    """On the last night, every field of a record's own is the books'."""
    last = month.nights[-1]
    held, told = month.known(endpoint, last), last.told[endpoint.name]
    assert held.keys() == told.keys()
    others = OF_OTHERS.get(endpoint.name, set())
    differing = {
        field
        for key, record in told.items()
        for field in record.keys() | held[key].keys()
        if record.get(field) != held[key].get(field)
    }
    assert differing <= others


def figures(line: dict) -> list:
    """What a line says itself: everything but the names and codes of others."""
    return [line["JournalLineID"], line["AccountID"], line["NetAmount"], line["GrossAmount"]]


def keeps_the_figures_of_journals(month: Month, endpoint: Endpoint) -> None:
    """Renamed accounts and options show in old journals; amounts and ids never change."""
    last = month.nights[-1]
    held = month.known(endpoint, last)
    for key, record in last.told[endpoint.name].items():
        assert [figures(line) for line in held[key]["JournalLines"]] == [
            figures(line) for line in record["JournalLines"]
        ]


def lists(*, without: tuple[Reading, ...] = ()) -> list[Endpoint]:
    daily = [each for each in ENDPOINTS if each.cadence is Cadence.DAILY]
    return [each for each in daily if each.reading not in (Reading.REPORT, *without)]


# A few nights


@each_endpoint
def test_raw_table_knows_on_each_night_what_was_true_then(few_nights, endpoint):
    holds_what_was_true(few_nights, endpoint)


@each_endpoint
def test_versions_of_a_record_follow_one_another_and_none_is_there_twice(few_nights, endpoint):
    never_repeats(few_nights, endpoint)


@each_endpoint
def test_deleted_is_exactly_what_was_deleted(few_nights, endpoint):
    marks_what_was_deleted(few_nights, endpoint)


@each_endpoint
def test_endpoint_is_read_when_it_is_due(few_nights, endpoint):
    is_read_when_it_is_due(few_nights, endpoint)


@pytest.mark.parametrize("endpoint", lists(), ids=lambda each: each.name)
def test_every_record_is_current_but_for_what_it_shows_of_others(few_nights, endpoint):
    is_current_but_for_what_it_shows_of_others(few_nights, endpoint)


@pytest.mark.parametrize("name", ["journals", "cash_journals"])
def test_journals_keep_their_figures(few_nights, name):
    keeps_the_figures_of_journals(few_nights, BY_NAME[name])


def test_days_of_the_nights_follow_one_another_and_people_were_busy(few_nights):
    days = [night.day.toordinal() - DAY.toordinal() for night in few_nights.nights]
    assert days == list(range(FEW_NIGHTS))
    assert sum(few_nights.done.values()) > len(DEEDS) * 3 // 4


# The month


@pytest.mark.campaign
@each_endpoint
def test_month_knows_on_each_night_what_was_true_then(whole_month, endpoint):
    holds_what_was_true(whole_month, endpoint)
    never_repeats(whole_month, endpoint)
    marks_what_was_deleted(whole_month, endpoint)
    is_read_when_it_is_due(whole_month, endpoint)


@pytest.mark.campaign
@pytest.mark.parametrize("endpoint", lists(), ids=lambda each: each.name)
def test_month_ends_current_but_for_what_records_show_of_others(whole_month, endpoint):
    is_current_but_for_what_it_shows_of_others(whole_month, endpoint)
    if endpoint.reading is Reading.NUMBERS:
        keeps_the_figures_of_journals(whole_month, endpoint)


@pytest.mark.campaign
def test_everything_that_people_can_do_was_done_within_the_month(whole_month):
    assert {name for name in DEEDS if not whole_month.done.get(name)} == set()


@pytest.mark.campaign
@pytest.mark.parametrize("name", ["trial_balances", "profit_and_losses", "balance_sheets"])
def test_month_end_before_the_first_night_was_read_again_after_it_moved(whole_month, name):
    ends = [date(2026, 9, 30), date(2026, 10, 31)]
    for end in ends:
        versions = [each for each in whole_month.rows[name] if f":{end}:accrual" in each.record_id]
        # Documents were dated back to them on several days.
        assert len(versions) > 1, end
