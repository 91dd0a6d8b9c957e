"""Which days a night makes again: those that moved, and no day of an organisation without news.

One organisation in which only what is written here happens, over four nights, and another one that
is extracted once. Whatever a night left alone, everything made anew must find as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from local_stack.postgres import EmbeddedPostgres
from tests.warehouse.marts.ledger_books import mark_built, run_dbt
from tests.warehouse.marts.record_nights import nights_of

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(1500)]

OPENED = datetime(2026, 11, 15, 9, 0, tzinfo=UTC)
BUILD = ("build", "--resource-type", "model", "--resource-type", "seed")
NIGHTLY = (*BUILD, "--selector", "nightly")
STATISTICS = """
select to_jsonb(shown) - 'known_at' from xero_marts.rpt_daily_statistics as shown
order by tenant_id, day
"""
FIRST_DAYS = "select tenant_id::text, first_day from xero_intermediate.int_days_moved"
SHARES = """
select receivables_top_1_contacts_share, receivables_contacts_herfindahl_ratio
from xero_marts.rpt_daily_statistics where tenant_id = %s and day = %s
"""
# Where on disk each row stands: another place is another write.
CHART = "select tenant_id, account_id, ctid::text from xero_marts.dim_accounts order by 1, 2"
BALANCES = """
select basis, account_id, day, ctid::text from xero_marts.fct_account_balances
where tenant_id = %s and day < '2026-08-10' order by 1, 2, 3
"""
POSTINGS = """
select posting_id, ctid::text from xero_marts.fct_ledger_postings
where tenant_id = %s and posting_date < '2026-08-11' order by 1
"""
LINES = """
select invoice_id, line_number, ctid::text from xero_marts.fct_invoice_lines
where tenant_id = %s order by 1, 2
"""
POSTED_DAYS = """
select distinct moved.day from xero_intermediate.int_account_days_moved as moved
inner join xero_staging.stg_xero__tenants as tenant using (tenant_id)
where moved.tenant_id = %s and moved.known_at = tenant.known_at and moved.basis = 'accrual'
order by 1
"""
EXPIRY = """
select distinct on (tenant_id) token_expiry_days
from xero_marts.rpt_daily_statistics where tenant_id = %s order by tenant_id, day desc
"""


def november(day: int) -> datetime:
    return datetime(2026, 11, day, 12, 0, tzinfo=UTC)


@dataclass
class Nights:
    """What stood in the warehouse after each night."""

    busy: str
    quiet: str
    dsn: str
    first_days: list[dict[str, date]] = field(default_factory=list)
    august: list[tuple[Any, ...]] = field(default_factory=list)
    september: list[tuple[Any, ...]] = field(default_factory=list)
    expiry: list[int | None] = field(default_factory=list)
    statistics: list[list[tuple[Any, ...]]] = field(default_factory=list)
    charts: list[list[tuple[Any, ...]]] = field(default_factory=list)
    balances: list[list[tuple[Any, ...]]] = field(default_factory=list)
    postings: list[list[tuple[Any, ...]]] = field(default_factory=list)
    posted_days: list[list[tuple[Any, ...]]] = field(default_factory=list)
    lines: list[list[tuple[Any, ...]]] = field(default_factory=list)

    def keep(self) -> None:
        """Remember it."""
        with psycopg.connect(self.dsn) as connection:
            self.first_days.append(dict(connection.execute(FIRST_DAYS).fetchall()))
            for shares, day in (
                (self.august, date(2026, 8, 31)),
                (self.september, date(2026, 9, 30)),
            ):
                shares.extend(connection.execute(SHARES, (self.busy, day)).fetchall())
            (expiry,) = connection.execute(EXPIRY, (self.quiet,)).fetchone() or (None,)
            self.expiry.append(expiry)
            self.statistics.append(connection.execute(STATISTICS).fetchall())
            self.charts.append(connection.execute(CHART).fetchall())
            self.balances.append(connection.execute(BALANCES, (self.busy,)).fetchall())
            self.postings.append(connection.execute(POSTINGS, (self.busy,)).fetchall())
            self.posted_days.append(connection.execute(POSTED_DAYS, (self.busy,)).fetchall())
            self.lines.append(connection.execute(LINES, (self.busy,)).fetchall())


@pytest.fixture(scope="module")
def nights(
    postgres_server: EmbeddedPostgres,
    warehouse_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Nights]:
    """A first build, three nights of it, and everything anew."""
    postgres_server.create_database("days_moved", template=warehouse_template)
    dsn, target = postgres_server.dsn("days_moved"), tmp_path_factory.mktemp("dbt_days_moved")
    busy, quiet = (nights_of(dsn, name, opened_at=OPENED) for name in ("Busy", "Quiet"))
    told = Nights(busy.company.tenant_id, quiet.company.tenant_id, dsn)

    def invoice(contact: str, amount: int, day: int, due: str = "2026-12-31") -> str:
        record = busy.act(
            *("create_invoice", OPENED),
            contact=contact,
            amount=amount,
            date=f"2026-08-{day:02}",
            due_date=due,
            line_amount_types="NoTax",
        )
        return str(record["InvoiceID"])

    def build(*how: str) -> None:
        run_dbt(dsn, target, *how)
        told.keep()
        mark_built(dsn)

    contacts = {
        name: str(busy.act("create_contact", OPENED, name=name)["ContactID"])
        for name in ("Ann", "Bob", "Cee", "Dan", "Eve")
    }
    ann, dan = invoice("Ann", 300, 3), invoice("Dan", 200, 3)
    invoice("Bob", 100, 5)
    invoice("Cee", 100, 6)
    eve = invoice("Eve", 40, 10, due="2026-08-30")
    payment = str(busy.act("pay", OPENED, id=dan, amount=50, date="2026-09-01")["PaymentID"])
    quiet.act("create_contact", OPENED, name="Kea")
    for each in (busy, quiet):
        each.extract(november(16))
    quiet.consent(OPENED)
    build(*BUILD)

    busy.act("pay", november(16), id=eve, amount=40, date="2026-11-16")
    busy.extract(november(17))
    build(*NIGHTLY)

    busy.act("merge_contact", november(17), id=contacts["Cee"], into="Bob")
    with psycopg.connect(dsn) as connection:
        connection.execute("update xero_ops.connections set disconnected_at = %s", (november(17),))
    busy.extract(november(18))
    build(*NIGHTLY)

    # The same money on the same day, of somebody else.
    busy.act("delete_payment", november(18), id=payment)
    busy.act("pay", november(18), id=ann, amount=50, date="2026-09-01")
    busy.extract(november(19))
    build(*NIGHTLY)

    build(*BUILD, "--full-refresh")
    yield told
    postgres_server.drop_database("days_moved")


def test_paying_an_old_invoice_today_makes_no_old_day_again(nights: Nights):
    assert nights.first_days[1] == {nights.busy: date(2026, 11, 15)}


def test_another_contact_of_an_old_invoice_moves_the_shares_of_past_month_ends(nights: Nights):
    assert nights.first_days[2][nights.busy] == date(2026, 8, 6)
    # 300, 200, 100, 100 and 40; then 300, 200, 200 and 40.
    assert nights.august[1] == (_ratio("300/740"), _ratio("151600/547600"))
    assert nights.august[2] == (_ratio("300/740"), _ratio("171600/547600"))


def test_a_payment_of_another_invoice_moves_shares_though_no_sum(nights: Nights):
    assert nights.first_days[3] == {nights.busy: date(2026, 9, 1)}
    # 300, 200, 150 and 40; then 250, 200, 200 and 40.
    assert nights.september[2] == (_ratio("300/690"), _ratio("154100/476100"))
    assert nights.september[3] == (_ratio("250/690"), _ratio("144100/476100"))


def test_an_organisation_without_news_is_left_alone_until_its_consent_ends(nights: Nights):
    assert nights.quiet not in nights.first_days[1]
    assert nights.first_days[2][nights.quiet] == date(2026, 11, 15)
    assert nights.expiry == [58, 58, None, None, None]


def test_a_night_writes_no_account_of_a_chart_that_stays_as_it_is(nights: Nights):
    assert len(nights.charts[0]) > 20
    assert nights.charts[3] == nights.charts[0]


def test_what_moves_no_money_of_a_day_writes_no_balance_of_it(nights: Nights):
    # Touched were a bill of 10 August, paid in November, and an invoice of 6 August, merged into
    # another contact.
    assert len(nights.balances[0]) > 5
    assert nights.balances[2] == nights.balances[0]


def test_a_night_writes_no_posting_of_an_invoice_that_is_merely_paid(nights: Nights):
    assert len(nights.postings[0]) > 8
    assert nights.postings[1] == nights.postings[0]
    assert nights.posted_days[1] == [(date(2026, 11, 16),)]
    assert (date(2026, 9, 1),) in nights.posted_days[3]


def test_a_night_writes_no_line_of_an_invoice_of_which_only_the_payments_moved(nights: Nights):
    assert len(nights.lines[2]) == 5
    assert nights.lines[3] == nights.lines[2]


def test_everything_made_anew_finds_every_day_as_the_nights_left_it(nights: Nights):
    *_, last, anew = nights.statistics
    assert len(anew) > 100
    assert last == anew


def _ratio(fraction: str) -> Decimal:
    above, below = fraction.split("/")
    return round(Decimal(above) / Decimal(below), 6)
