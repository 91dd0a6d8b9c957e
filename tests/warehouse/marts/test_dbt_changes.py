"""What nights saw change: exact rows of the changes, and what a day's statistics make of them.

One organisation in which only what is written here happens, over five nights; another one on the
other side of the world.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from local_stack.postgres import EmbeddedPostgres
from tests.warehouse.marts.ledger_books import mark_built, run_dbt
from tests.warehouse.marts.record_nights import Nights, nights_of

OPENED = datetime(2026, 11, 15, 9, 0, tzinfo=UTC)
FIRST_NIGHT = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)
LAST_NIGHT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
REFRESHED = LAST_NIGHT - timedelta(days=3, hours=2)
NO_TAX = {"line_amount_types": "NoTax"}
MODELS = ("build", "--resource-type", "model", "--resource-type", "seed")

OF_VERSIONS = (
    "xero_timezones",
    "stg_xero__tenants",
    "stg_xero__tracking_option_names",
    "stg_xero__compared_versions",
    "fct_changes",
    "int_records_moved",
)
OF_DAYS = (
    *OF_VERSIONS,
    "stg_xero__extraction_days",
    "stg_xero__grants",
    "+int_windows_spanned",
    "+fct_currency_rates",
)


def november(day: int, hour: int = 15) -> datetime:
    return datetime(2026, 11, day, hour, 0, tzinfo=UTC)


def the(day: int, month: int = 11) -> str:
    return date(2026, month, day).isoformat()


class Story:
    """What happens, night by night; `names` are the records by what they are called here."""

    def __init__(self, dsn: str) -> None:
        self.nights = nights_of(
            dsn, "Five nights", opened_at=OPENED, country="GB", currencies=["USD"]
        )
        self.far_away = nights_of(dsn, "Far away", opened_at=OPENED, country="NZ")
        self.names: dict[str, str] = {}

    def did(self, name: str, action: str, at: datetime, id_field: str, /, **fields: Any) -> str:
        """A deed that makes a record, which has a name from now on."""
        record = self.nights.act(action, at, **fields)
        self.names[str(record[id_field])] = name
        return str(record[id_field])

    def open_books(self) -> None:
        """All that was there when the first extraction came, which therefore is no change."""
        at = OPENED
        self.ann = self.did("Ann", "create_contact", at, "ContactID", name="Ann")
        self.bob = self.did("Bob", "create_contact", at, "ContactID", name="Bob")
        self.nights.act("lock_books", at, period=the(31, 10))
        invoices: dict[str, dict[str, Any]] = {
            "voided": {"amount": 100},
            "edited": {"amount": 200},
            "draft": {"amount": 300, "status": "DRAFT"},
            "locked bill": {"type": "ACCPAY", "amount": 400, "date": the(20, 10)},
            "dollars": {"amount": 125, "currency": "USD", "rate": "1.25", "date": the(12)},
        }
        self.invoices = {
            name: self.did(
                *(name, "create_invoice", at, "InvoiceID"),
                **{"contact": "Ann", "date": the(10), **NO_TAX, **fields},
            )
            for name, fields in invoices.items()
        }
        self.payment = self.did(
            *("payment", "pay", at, "PaymentID"),
            id=self.invoices["locked bill"],
            amount=150,
            date=the(12),
        )
        self.spent, self.received = (
            self.did(
                *(kind, "create_bank_transaction", at, "BankTransactionID"),
                **{"type": kind, "amount": amount, "date": the(day), **NO_TAX},
            )
            for kind, amount, day in (("SPEND", 50, 12), ("RECEIVE", 70, 14))
        )
        self.nights.act("create_account", at, code="099", name="Savings", type="BANK")
        self.transfer = self.did(
            *("transfer", "transfer", at, "BankTransferID"),
            amount=25,
            date=the(14),
            to_code="099",
        )
        self.journals = [
            self.did(
                *(name, "create_manual_journal", at, "ManualJournalID"),
                date=the(13),
                lines=journal_lines(amount),
            )
            for name, amount in (("journal", 40), ("other journal", 30))
        ]
        self.nights.act("create_tracking_category", at, name="Region", options=["North", "South"])
        for name in ("tracked", "tracked anew"):
            tracked = {"unit_amount": 60, "quantity": 1, "account_code": "200"}
            self.invoices[name] = self._invoice(
                name, at, date=the(10), lines=[tracked | {"tracking": ["North"]}]
            )
        self._open_papers(at)

    def _open_papers(self, at: datetime) -> None:
        self.nights.act("create_item", at, code="W", is_tracked=True, sale_price=9)
        widgets = {"unit_amount": 2, "quantity": 5, "account_code": "630", "item_code": "W"}
        self.nights.act(
            "create_invoice", at, type="ACCPAY", lines=[widgets], date=the(10), **NO_TAX
        )
        self.quote = str(
            self.nights.act("create_quote", at, amount=500, status="SENT", date=the(11), **NO_TAX)[
                "QuoteID"
            ]
        )
        self.nights.act("create_quote", at, amount=80, status="DECLINED", date=the(1), **NO_TAX)
        self.order = str(
            self.nights.act(
                "create_purchase_order", at, amount=60, status="AUTHORISED", date=the(9), **NO_TAX
            )["PurchaseOrderID"]
        )
        self.nights.act("create_repeating_invoice", at, amount=120, **NO_TAX)
        self.nights.act(
            "create_repeating_invoice",
            at,
            **{"type": "ACCPAY", "unit": "WEEKLY", "period": 2, "amount": 24, **NO_TAX},
        )

    def first_day(self) -> None:
        """The 16th, after the night that closed the 15th."""
        at = november(16)
        self.nights.act("void", at, id=self.invoices["voided"])
        self.back_dated = self._invoice("back-dated", at, amount=110, date=the(14))
        self.nights.act("edit_invoice", at, id=self.invoices["edited"], amount=250)
        self.nights.act("pay", at, id=self.invoices["edited"], amount=50, date=the(16))
        self.nights.act("edit_manual_journal", at, id=self.journals[0], lines=journal_lines(45))
        self.did("Cee", "create_contact", at, "ContactID", name="Cee")
        self.nights.act("reconcile", at, id=self.spent)

    def second_day(self) -> None:
        """The 17th: before the night that closes the 16th that day is open, after it no more."""
        self._invoice("in time", november(17, 10), amount=10, date=the(16))

    def second_evening(self) -> None:
        """Still the 17th."""
        at = november(17)
        # Another name of an option is no change of the documents that it is on.
        self.nights.act("rename_option", at, option="North", name="Far North")
        self._invoice("in the locked period", at, amount=120, date=the(15, 10))
        self.nights.act("edit_invoice", at, id=self.invoices["locked bill"], reference="Again")
        self.nights.act("delete_payment", at, id=self.payment)
        self.nights.act("delete_draft", at, id=self.invoices["draft"])
        self.nights.act("edit_contact", at, id=self.ann, bank_account_details="11-22-33 4455")

    def unseen_days(self) -> None:
        """The 18th and 19th: no extraction came between them."""
        at = november(18)
        self.nights.act("delete_bank_transaction", at, id=self.received)
        self.nights.act("change_quote", at, id=self.quote, status="ACCEPTED")
        self.nights.act("change_purchase_order", at, id=self.order, status="BILLED")
        sold = {"unit_amount": 9, "quantity": 2, "item_code": "W"}
        self._invoice("sale", at, lines=[sold], date=the(18))
        self.nights.act("edit_contact", at, id=self.bob, bank_account_details="99-88-77 6655")
        self.nights.act("edit_contact", at, id=self.ann, city="Leeds")
        at = november(19, 9)
        self.nights.act("void_manual_journal", at, id=self.journals[0])
        self.nights.act("delete_transfer", at, id=self.transfer)
        self.nights.act("lock_books", at, period=the(18))

    def last_day(self) -> None:
        """The 20th: what was locked the day before, and what another region sold."""
        sold = {"unit_amount": 60, "quantity": 1, "account_code": "200", "tracking": ["South"]}
        self.nights.act(
            "edit_invoice", november(20), id=self.invoices["tracked anew"], lines=[sold]
        )
        self.nights.act("edit_invoice", november(20), id=self.back_dated, amount=115)

    def _invoice(self, name: str, at: datetime, /, **fields: Any) -> str:
        return self.did(
            name, "create_invoice", at, "InvoiceID", **{"contact": "Ann", **NO_TAX, **fields}
        )

    def chapters(self) -> Iterator[datetime]:
        """Every night, once it is extracted."""
        self.open_books()
        self.far_away.act("create_contact", OPENED, name="Kea")
        yield self._extracted(FIRST_NIGHT)
        self.first_day()
        self.far_away.act("create_contact", november(16), name="Tui")
        self.second_day()
        yield self._extracted(november(17, 12))
        self.second_evening()
        yield self._extracted(november(18, 12))
        self.unseen_days()
        yield self._extracted(november(20, 12))
        self.last_day()
        yield self._extracted(LAST_NIGHT)

    def _extracted(self, night: datetime) -> datetime:
        for each in (self.nights, self.far_away):
            each.extract(night)
        return night


def journal_lines(amount: int) -> list[dict[str, Any]]:
    return [
        {"account_code": "429", "amount": amount, "tax_type": "NONE"},
        {"account_code": "200", "amount": -amount, "tax_type": "NONE"},
    ]


@dataclass(frozen=True)
class Told:
    """The story, and the database in which it is built."""

    story: Story
    dsn: str
    schema: str = ""

    def rows(self, query: str, nights: Nights | None = None) -> list[dict[str, Any]]:
        """The rows of a query about one organisation."""
        of = (nights or self.story.nights).company.tenant_id
        with psycopg.connect(self.dsn, row_factory=dict_row) as connection:
            return connection.execute(query, {"tenant": of}).fetchall()

    def days(self, *columns: str) -> dict[int, tuple[Any, ...]]:
        """These columns of the last seven days, by the day of the month."""
        rows = self.rows(
            f"select day, {', '.join(columns)} from xero_intermediate.int_daily_records"
            " where tenant_id = %(tenant)s and day >= '2026-11-14'"
        )
        return {row["day"].day: tuple(row[column] for column in columns) for row in rows}


# What a first build says of every organisation; it is proved elsewhere.
EVERY_DAY_MOVED = """
create table xero_intermediate.int_days_moved as
select tenant_id, base_currency_code, known_at, first_day, last_day, first_day as window_first_day
from xero_intermediate.int_windows_spanned
"""


@pytest.fixture(scope="module")
def told(
    postgres_server: EmbeddedPostgres,
    warehouse_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Told]:
    """The story built once, after its end."""
    postgres_server.create_database("changes", template=warehouse_template)
    dsn = postgres_server.dsn("changes")
    story = Story(dsn)
    for night in story.chapters():
        on_date = night.date()
    story.nights.call(date(2026, 11, 18), "invoices", calls=7, size=900, left=4990)
    story.nights.call(date(2026, 11, 18), "contacts", calls=2, size=100, left=4993)
    story.nights.call(on_date, "invoices", calls=1, size=1, left=4999)
    story.nights.consent(REFRESHED)
    target = tmp_path_factory.mktemp("dbt_changes")
    run_dbt(dsn, target, *MODELS, "--select", *OF_DAYS)
    tell_of_reports(dsn, story.nights.company.tenant_id)
    with psycopg.connect(dsn) as connection:
        connection.execute(EVERY_DAY_MOVED)
    run_dbt(dsn, target, *MODELS, "--select", "int_daily_records")
    yield Told(story, dsn)
    postgres_server.drop_database("changes")


def tell_of_reports(dsn: str, tenant_id: str) -> None:
    """What the tie-out and the statistics by currency would say; they are proved elsewhere."""
    with psycopg.connect(dsn) as connection:
        connection.execute("drop table xero_marts.rpt_tie_out_summary")
        connection.execute(
            "create table xero_marts.rpt_tie_out_summary (tenant_id uuid, report text, basis text,"
            " report_date date, known_at timestamptz, difference_amount numeric,"
            " broken_amount numeric, explained_ratio numeric)"
        )
        connection.cursor().executemany(
            "insert into xero_marts.rpt_tie_out_summary values (%s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (tenant_id, report, basis, the(day), november(known), *figures)
                for report, basis, day, known, *figures in (
                    ("TrialBalance", "accrual", 16, 17, 900, 900, 0),
                    ("TrialBalance", "accrual", 16, 18, 12, 5, Decimal("0.98")),
                    # Read again, and not compared.
                    ("TrialBalance", "accrual", 16, 20, None, None, None),
                    ("TrialBalance", "cash", 16, 18, 700, 700, 0),
                    ("BalanceSheet", "accrual", 16, 18, 700, 700, 0),
                    ("TrialBalance", "accrual", 17, 18, 0, 0, 1),
                )
            ],
        )
        connection.execute(
            "create table xero_marts.rpt_daily_statistics_by_currency as"
            " select %s::uuid as tenant_id, day::date as day, currency_code,"
            " 'GBP' as base_currency_code, receivables as receivables_outstanding_count,"
            " payables as payables_outstanding_count"
            " from generate_series('2026-11-14'::date, '2026-11-20', '1 day') as day,"
            " (values ('GBP', 3, 4), ('USD', 1, 0), ('EUR', 0, 2), ('JPY', 0, 0))"
            " as counted (currency_code, receivables, payables)",
            (tenant_id,),
        )


# Day, kind of record, its name in the story, the change, and what it was worth before and after.
CHANGES = {
    (16, "contacts", "Cee", "new_contact", None, None),
    (16, "invoices", "back-dated", "back_dated", None, 110),
    (16, "invoices", "edited", "changed_after_approval", 200, 250),
    (16, "invoices", "voided", "voided", 100, 0),
    (16, "manual_journals", "journal", "changed_after_approval", 40, 45),
    (17, "contacts", "Ann", "bank_details_changed", None, None),
    (17, "invoices", "draft", "deleted", 300, 0),
    (17, "invoices", "in the locked period", "back_dated", None, 120),
    (17, "invoices", "in the locked period", "edited_in_locked_period", None, 120),
    (17, "invoices", "locked bill", "changed_after_approval", 400, 400),
    (17, "invoices", "locked bill", "edited_in_locked_period", 400, 400),
    (17, "payments", "payment", "deleted", 150, 0),
    (18, "bank_transactions", "RECEIVE", "deleted", 70, 0),
    # A transfer has no stamp: it counts on the first day that was open when it was seen.
    (18, "bank_transfers", "transfer", "deleted", 25, 0),
    (18, "contacts", "Bob", "bank_details_changed", None, None),
    (19, "manual_journals", "journal", "voided", 45, 0),
    (20, "invoices", "back-dated", "changed_after_approval", 110, 115),
    (20, "invoices", "back-dated", "edited_in_locked_period", 110, 115),
    (20, "invoices", "tracked anew", "changed_after_approval", 60, 60),
    (20, "invoices", "tracked anew", "edited_in_locked_period", 60, 60),
}


def test_every_change_is_a_row_and_nothing_else_is(told: Told) -> None:
    rows = told.rows("select * from xero_marts.fct_changes where tenant_id = %(tenant)s")
    found = [
        (
            row["day"].day,
            row["endpoint"],
            told.story.names[row["record_id"]],
            row["change"],
            row["former_amount"],
            row["amount"],
        )
        for row in rows
    ]
    # A list, so that nothing is there twice.
    assert sorted(map(str, found)) == sorted(
        str((*change[:4], *(None if x is None else Decimal(f"{x}.00") for x in change[4:])))
        for change in CHANGES
    )


def test_a_change_says_what_was_closed_and_locked_before_it_was_seen(told: Told) -> None:
    rows = told.rows(
        "select change, day, former_document_date, document_date, closed_day, lock_date,"
        " former_status, status, base_amount from xero_marts.fct_changes"
        " where tenant_id = %(tenant)s and day in ('2026-11-17', '2026-11-19')"
        " and change in ('edited_in_locked_period', 'voided') order by day, document_date"
    )
    locked, closed = date(2026, 10, 31), date(2026, 11, 16)
    assert [tuple(row.values()) for row in rows] == [
        *(
            (
                *("edited_in_locked_period", date(2026, 11, 17), former, after, closed, locked),
                *(status, "AUTHORISED", amount),
            )
            for former, after, status, amount in (
                (None, date(2026, 10, 15), None, 120),
                (date(2026, 10, 20), date(2026, 10, 20), "AUTHORISED", 400),
            )
        ),
        # The books were locked up to the 18th at that time, which nobody knew before.
        (
            *("voided", date(2026, 11, 19), date(2026, 11, 13), date(2026, 11, 13)),
            *(date(2026, 11, 17), locked, "POSTED", "VOIDED", 0),
        ),
    ]


def test_a_change_counts_on_the_day_of_the_organisation_s_own_clock(told: Told) -> None:
    rows = told.rows(
        "select day, change from xero_marts.fct_changes where tenant_id = %(tenant)s",
        told.story.far_away,
    )
    # It was four in the morning in Auckland.
    assert rows == [{"day": date(2026, 11, 17), "change": "new_contact"}]


def test_bank_details_themselves_are_in_no_mart(told: Told) -> None:
    rows = told.rows("select changes::text from xero_marts.fct_changes as changes")
    assert not [row for row in rows if "4455" in row["changes"] or "6655" in row["changes"]]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        pytest.param(
            [
                "unreconciled_transactions_count",
                "unreconciled_received_base_amount",
                "unreconciled_spent_base_amount",
                "unreconciled_oldest_days",
            ],
            {
                14: (None, None, None, None),
                15: (4, 95, 75, 3),
                16: (3, 95, 25, 2),
                17: (3, 95, 25, 3),
                **dict.fromkeys((18, 19, 20), (0, 0, 0, None)),
            },
            id="unreconciled",
        ),
        pytest.param(
            ["stock_items_count", "stock_on_hand_count", "stock_value_base_amount"],
            {
                14: (None, None, None),
                **dict.fromkeys((15, 16, 17), (1, 5, 10)),
                **dict.fromkeys((18, 19, 20), (1, 3, 6)),
            },
            id="stock",
        ),
        pytest.param(
            [
                *("quotes_sent_count", "quotes_sent_base_amount"),
                *("quotes_accepted_count", "quotes_accepted_base_amount"),
                *("quotes_declined_count", "quotes_draft_count", "quotes_invoiced_count"),
                "quotes_acceptance_90_ratio",
            ],
            {
                # By its own date the quote is accepted today, whenever that was seen.
                14: (*([None] * 7), Decimal("0.5")),
                **dict.fromkeys((15, 16, 17), (1, 500, 0, 0, 1, 0, 0, Decimal("0.5"))),
                **dict.fromkeys((18, 19, 20), (0, 0, 1, 500, 1, 0, 0, Decimal("0.5"))),
            },
            id="quotes",
        ),
        pytest.param(
            [
                *("purchase_orders_open_count", "purchase_orders_open_base_amount"),
                *("repeating_receivables_count", "repeating_receivables_per_month_base_amount"),
                *("repeating_payables_count", "repeating_payables_per_month_base_amount"),
            ],
            {
                14: (None,) * 6,
                **dict.fromkeys((15, 16, 17), (1, 60, 1, 120, 1, 52)),
                **dict.fromkeys((18, 19, 20), (0, 0, 1, 120, 1, 52)),
            },
            id="orders and templates",
        ),
        pytest.param(
            [
                *("back_dated_postings_count", "back_dated_postings_base_amount"),
                *("changes_after_approval_count", "voids_count", "deletions_count"),
                *("edits_in_locked_period_count", "new_contacts_count"),
                "bank_details_changes_count",
            ],
            {
                14: (None,) * 8,
                15: (0,) * 8,
                16: (1, 110, 2, 1, 0, 0, 1, 0),
                17: (1, 120, 1, 0, 2, 2, 0, 1),
                18: (0, 0, 0, 0, 2, 0, 0, 1),
                19: (0, 0, 0, 1, 0, 0, 0, 0),
                20: (0, 0, 2, 0, 0, 2, 0, 0),
            },
            id="changes",
        ),
        pytest.param(
            [
                *("freshness_days", "api_calls_count", "api_calls_left_count"),
                *("egress_bytes_count", "token_expiry_days"),
            ],
            {
                14: (None, 0, None, 0, None),
                **dict.fromkeys((15, 16, 17, 19), (Decimal("0.5"), 0, None, 0, None)),
                # Nothing came for the 18th: the extraction of the 19th closed it.
                18: (Decimal("1.5"), 9, 4990, 1000, None),
                17: (Decimal("0.5"), 0, None, 0, None),
                20: (Decimal("0.5"), 0, None, 0, 56),
            },
            id="operations",
        ),
        pytest.param(
            ["open_foreign_currencies_count", "newest_rate_days"],
            {day: (2, day - 12) for day in range(14, 21)},
            id="currencies",
        ),
        pytest.param(
            ["tie_out_difference_base_amount", "tie_out_broken_base_amount", "explained_ratio"],
            {
                **dict.fromkeys((14, 15, 18, 19, 20), (None, None, None)),
                16: (12, 5, Decimal("0.98")),
                17: (0, 0, 1),
            },
            id="tie-out",
        ),
    ],
)
def test_a_day_says_what_was_seen_when_it_closed(told: Told, columns: Any, expected: Any) -> None:
    assert told.days(*columns) == expected


def test_manual_journals_count_by_their_own_date_as_they_are_now(told: Told) -> None:
    rows = told.rows(
        "select day, manual_journals_count as records, manual_journals_base_amount as amount"
        " from xero_intermediate.int_daily_records where tenant_id = %(tenant)s"
        " and (manual_journals_count <> 0 or manual_journals_base_amount <> 0)"
    )
    # The other one was voided later.
    assert rows == [{"day": date(2026, 11, 13), "records": 1, "amount": Decimal(30)}]


def test_records_are_counted_on_the_day_that_they_were_read_for(told: Told) -> None:
    counted = told.story.nights.counted
    assert told.days(
        "records_new_count",
        "records_changed_count",
        "records_unchanged_count",
        "records_deleted_count",
    ) == {
        day: (read.new, read.changed, read.read - read.new - read.changed, read.deleted)
        if (read := counted.get(date(2026, 11, day)))
        else (0, 0, 0, 0)
        for day in range(14, 21)
    }


def test_of_a_consent_nothing_secret_is_read(told: Told) -> None:
    rows = told.rows(
        "select column_name::text as name, view_name::text as view"
        " from information_schema.view_column_usage where table_schema = 'xero_ops'"
        " and table_name = 'grants' order by 1"
    )
    assert [(row["name"], row["view"]) for row in rows] == [
        (name, "stg_xero__grants") for name in ("grant_id", "refreshed_at", "state")
    ]


@pytest.mark.campaign
@pytest.mark.timeout(900)
def test_nights_built_one_by_one_leave_the_same_rows_as_everything_made_anew(
    warehouse_dsn: str, tmp_path: Path
) -> None:
    story = Story(warehouse_dsn)
    for number, _ in enumerate(story.chapters()):
        if number == 1:
            # Nothing was built that night: the next build takes both.
            continue
        run_dbt(warehouse_dsn, tmp_path / "marts", *MODELS, "--select", *OF_VERSIONS)
        if number == 0:
            stand_in_for_the_others(warehouse_dsn, tmp_path / "marts" / "manifest.json")
        if number == 2:
            # As after a build that failed at its end: the same again.
            run_dbt(warehouse_dsn, tmp_path / "marts", *MODELS, "--select", *OF_VERSIONS)
        mark_built(warehouse_dsn)
    run_dbt(
        *(warehouse_dsn, tmp_path / "whole", *MODELS, "--select", *OF_VERSIONS),
        schema_suffix="whole",
    )

    with psycopg.connect(warehouse_dsn) as connection:
        rebuilt = connection.execute(
            "select count(*) from xero_staging.stg_xero__tenants where is_rebuilt"
        ).fetchall()
        kept, whole = (
            {
                name: connection.execute(
                    f"select kept::text from {name.format(suffix)} as kept order by 1"
                ).fetchall()
                for name in ("xero_marts{0}.fct_changes", "xero_intermediate{0}.int_records_moved")
            }
            for suffix in ("", "_whole")
        )
    assert rebuilt == [(0,)]
    assert kept == whole
    assert len(kept["xero_marts{0}.fct_changes"]) == len(CHANGES) + 1


def stand_in_for_the_others(dsn: str, manifest: Path) -> None:
    """An empty table for each that is not built here: where one is missing, all is made anew."""
    nodes = json.loads(manifest.read_text(encoding="utf-8"))["nodes"].values()
    with psycopg.connect(dsn) as connection:
        for node in nodes:
            if node["config"]["materialized"] == "incremental":
                connection.execute(f"create schema if not exists {node['schema']}")
                connection.execute(
                    f"create table if not exists {node['schema']}.{node['alias']} ()"
                )
