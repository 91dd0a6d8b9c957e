"""The marts of many organisations: all made anew, and days on which one invoice in a hundred moved.

Writes the raw tables by SQL, in Xero's spelling, and calls dbt as the nightly task does. Must not
know what a model computes. `make bench-warehouse` measures the promised size beside a tenth of it;
`python -m benchmarks.warehouse --invoices 50000` measures one size, and writes nothing, with
`--brief` one day of it and no second whole build.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from airflow_xero.migrate import migrate
from airflow_xero.readers import GROUP
from benchmarks.figures import Figure, as_section, with_section
from local_stack.ports import free_port
from local_stack.postgres import EmbeddedPostgres

DBT = Path(__file__).resolve().parents[1] / "dbt"
RESULTS = Path(__file__).with_name("results.md")
TENANTS = 50
INVOICES = 500_000
DAYS = 5
# As docs/operate.md advises for books of this size.
POSTGRES = {"shared_buffers": "8GB", "max_wal_size": "8GB"}

# What is promised of that size; of a smaller one a night is mostly dbt itself.
_PROMISED = {"whole": "600 s", "day": "45 s", "share": "10 %", "question": "50 ms"}

# What the nightly task asks dbt for while every table and view stands.
_NIGHTLY = ("--selector", "nightly")
_FIRST_NIGHT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Build:
    """One call of dbt: its wall seconds, and what its nodes took, by name."""

    seconds: float
    nodes: dict[str, float]

    @property
    def sql_seconds(self) -> float:
        """The seconds of all nodes together, whichever ran side by side."""
        return sum(self.nodes.values())


@dataclass(frozen=True)
class Measured:
    """What one size gave."""

    invoices: int
    whole: Build
    days: Sequence[Build]
    quiet: Build
    worst: Build
    anew: Sequence[Build]
    question_seconds: Sequence[float]


class Warehouse:
    """A database of its own, and dbt on it."""

    def __init__(self, dsn: str, folder: Path) -> None:
        self.dsn = dsn
        self.folder = folder

    def fill(self, invoices: int) -> None:
        """Load the first night: every organisation with its chart, documents and payments."""
        with psycopg.connect(self.dsn) as connection:
            migrate(connection)
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute(_PREPARE)
            connection.execute(
                "create table public.size as select %s as tenants, %s as invoices",
                (TENANTS, invoices // TENANTS),
            )
            for statement in _FIRST_LOAD.split(";;"):
                connection.execute(statement.replace(":known_at", f"'{_FIRST_NIGHT}'"))
            connection.execute("vacuum analyze")

    def usual_night(self, number: int) -> None:
        """One invoice in a hundred moves: half are edited, a quarter paid, a quarter new.

        Those edited and paid are of any age; what is new, payments included, is of the last month.
        """
        self._happen(number, [*_NEXT_NIGHT.split(";;"), *_OF_THAT_MONTH.split(";;")])

    def worst_night(self, number: int) -> None:
        """The same, but what is new is dated on any day of the last years, as nobody would.

        All days of every organisation are made again.
        """
        self._happen(number, _NEXT_NIGHT.split(";;"))

    def quiet_night(self, number: int) -> None:
        """Nothing moves, but a day has passed."""
        self._happen(number, _NEXT_NIGHT.split(";;")[:2])

    def _happen(self, number: int, statements: Sequence[str]) -> None:
        night = _FIRST_NIGHT + timedelta(days=number)
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            for statement in statements:
                connection.execute(
                    statement.replace(":known_at", f"'{night}'").replace(":night", str(number))
                )
            # What autovacuum and the checkpointer have a day for between two nights.
            connection.execute("vacuum (analyze)")
            connection.execute("checkpoint")

    def build(self, *arguments: str) -> Build:
        """Call dbt as the nightly task does, then mark what it published."""
        parts = conninfo_to_dict(self.dsn)
        names = {"DBT_HOST": "host", "DBT_PORT": "port", "DBT_USER": "user"}
        names |= {"DBT_PASSWORD": "password", "DBT_DBNAME": "dbname"}
        started = time.perf_counter()
        subprocess.run(
            [
                *(str(Path(sys.executable).with_name("dbt")), "build", *arguments),
                *("--exclude-resource-type", "unit_test", "--quiet"),
                *("--log-level-file", "none", "--no-version-check"),
                *("--project-dir", str(DBT), "--profiles-dir", str(DBT)),
                *("--target-path", str(self.folder), "--log-path", str(self.folder)),
            ],
            env=os.environ | {name: str(parts[part]) for name, part in names.items()},
            check=True,
        )
        seconds = time.perf_counter() - started
        with psycopg.connect(self.dsn) as connection:
            connection.execute("update xero_ops.extract_runs set built_at = clock_timestamp()")
        results = json.loads((self.folder / "run_results.json").read_text(encoding="utf-8"))
        return Build(
            seconds,
            {each["unique_id"]: each["execution_time"] for each in results["results"]},
        )

    def question_seconds(self) -> float:
        """How long a year of one organisation's daily statistics takes a reader to be answered.

        The reader is a BI tool's, which may read that organisation alone.
        """
        with psycopg.connect(self.dsn) as connection:
            asked = connection.execute(_LET_READ, {"reader": GROUP}).fetchone()
            connection.execute(f"set role {GROUP}")
            started = time.perf_counter()
            rows = connection.execute(_QUESTION, asked).fetchall()
            seconds = time.perf_counter() - started
        if len(rows) != 365:
            raise ValueError(f"a year of 365 days was asked for, and {len(rows)} came")
        return seconds


@contextmanager
def _server() -> Iterator[EmbeddedPostgres]:
    with tempfile.TemporaryDirectory(prefix="xero_bench_") as folder:
        server = EmbeddedPostgres(Path(folder) / "postgres", settings=POSTGRES)
        server.create()
        server.start(free_port())
        try:
            yield server
        finally:
            server.stop()


def measure(invoices: int, *, is_brief: bool = False) -> Measured:
    """Build everything, then some days and a quiet one, then everything again."""
    with _server() as server, tempfile.TemporaryDirectory(prefix="xero_dbt_") as folder:
        server.create_database("warehouse")
        warehouse = Warehouse(server.dsn("warehouse"), Path(folder))
        _say(f"loading {invoices:,} invoices …")
        warehouse.fill(invoices)
        _say("building everything …")
        whole = warehouse.build("--full-refresh")
        _tell(whole)
        days = []
        for number in range(1, 2 if is_brief else DAYS + 1):
            warehouse.usual_night(number)
            _say(f"building day {number} …")
            days.append(warehouse.build(*_NIGHTLY))
            _tell(days[-1])
        question_seconds = [warehouse.question_seconds() for _ in range(5)]
        warehouse.quiet_night(len(days) + 1)
        _say("building a quiet day …")
        quiet = warehouse.build(*_NIGHTLY)
        _tell(quiet)
        warehouse.worst_night(len(days) + 2)
        _say("building the worst of days …")
        worst = warehouse.build(*_NIGHTLY)
        _tell(worst)
        anew = []
        if not is_brief:
            _say("building everything again …")
            anew.append(warehouse.build("--full-refresh"))
        return Measured(invoices, whole, days, quiet, worst, anew, question_seconds)


def _say(words: str) -> None:
    print(words, flush=True)


def _tell(build: Build) -> None:
    slowest = sorted(build.nodes.items(), key=lambda node: -node[1])[:12]
    _say(f"{build.seconds:8.1f} s, {build.sql_seconds:.1f} s of SQL")
    for name, seconds in slowest:
        _say(f"{seconds:10.1f}  {name.split('.', 2)[2]}")


def _figures(measured: Measured) -> list[Figure]:
    size = f"{measured.invoices:,} invoices"
    promised = _PROMISED if measured.invoices == INVOICES else dict.fromkeys(_PROMISED, "")
    share = [
        100 * day.sql_seconds / measured.whole.sql_seconds
        for day in (*measured.days, measured.worst)
    ]
    return [
        Figure(f"everything built, {size}", "s", (measured.whole.seconds,), promised["whole"]),
        Figure(
            f"a day on which 1 % moved, {size}",
            "s",
            tuple(day.seconds for day in measured.days),
            promised["day"],
        ),
        Figure(
            f"its share of the SQL seconds of everything, {size}",
            "%",
            tuple(share[:-1]),
            promised["share"],
        ),
        Figure(f"the worst: what is new is of any day, {size}", "s", (measured.worst.seconds,)),
        Figure(f"its share of the SQL seconds of everything then, {size}", "%", (share[-1],)),
        Figure(f"a day on which nothing moved, {size}", "s", (measured.quiet.seconds,)),
        *(
            Figure(f"everything rebuilt that day instead, {size}", "s", (anew.seconds,))
            for anew in measured.anew
        ),
        Figure(
            f"a year of one organisation's rpt_daily_statistics, as a reader, {size}",
            "ms",
            tuple(1000 * seconds for seconds in measured.question_seconds),
            promised["question"],
        ),
    ]


def main() -> None:
    """Measure one size, or the promised one beside a tenth of it."""
    parser = argparse.ArgumentParser(prog="benchmarks.warehouse", description=__doc__)
    parser.add_argument("--invoices", type=int, help="measure this size alone")
    parser.add_argument("--brief", action="store_true", help="one day, no second whole build")
    chosen = parser.parse_args()
    sizes = [chosen.invoices] if chosen.invoices else [INVOICES // 10, INVOICES]
    measured = [measure(size, is_brief=chosen.brief) for size in sizes]
    figures = [figure for each in measured for figure in _figures(each)]
    if len(measured) == 2:
        growth = [
            large.seconds / small.seconds
            for small, large in zip(measured[0].days, measured[1].days, strict=True)
        ]
        figures.append(
            Figure("a day's growth with ten times the invoices", "×", tuple(growth), "2 ×")
        )
    section = as_section("warehouse", figures, measured_on=datetime.now(UTC).date())
    print(section)
    if not chosen.invoices:
        page = RESULTS.read_text(encoding="utf-8")
        RESULTS.write_text(with_section(page, "warehouse", section), encoding="utf-8")


# --- The books, in Xero's spelling ---------------------------------------------------------------

_PREPARE = """
create function public.stamp(day date) returns text immutable language sql
return '/Date(' || (extract(epoch from day)::bigint * 1000)::text || '+0000)/';

-- The document `number` of an organisation: three lines, tax of 15 %, one in twenty foreign.
create function public.invoice(number integer, known_at timestamptz, paid numeric, more jsonb)
returns jsonb stable language sql
begin atomic
    select jsonb_build_object(
        'InvoiceID', md5('invoice' || number)::uuid,
        'Type', case when number % 5 < 3 then 'ACCREC' else 'ACCPAY' end,
        'Status', case when paid >= total then 'PAID' else 'AUTHORISED' end,
        'InvoiceNumber', 'INV-' || number,
        'Reference', 'Order ' || number,
        'Contact', jsonb_build_object(
            'ContactID', md5('contact' || number % 500)::uuid, 'Name', 'Contact ' || number % 500
        ),
        'Date', public.stamp(day),
        'DueDate', public.stamp(day + 30),
        'LineAmountTypes', 'Exclusive',
        'CurrencyCode', case when number % 20 = 0 then 'USD' else 'NZD' end,
        'CurrencyRate', case when number % 20 = 0 then 0.6 + (number % 97) / 1000.0 else 1 end,
        'SubTotal', net, 'TotalTax', total - net, 'Total', total,
        'AmountPaid', paid, 'AmountCredited', 0, 'AmountDue', total - paid,
        'HasAttachments', false,
        'UpdatedDateUTC', public.stamp(known_at::date),
        'Payments', case when paid > 0 then jsonb_build_array(jsonb_build_object(
            'PaymentID', md5('payment' || number)::uuid,
            'Date', public.stamp(day + 20), 'Amount', paid
        )) else '[]' end,
        'CreditNotes', '[]'::jsonb, 'Overpayments', '[]'::jsonb, 'Prepayments', '[]'::jsonb,
        'LineItems', lines
    ) || more
    from (select date '2026-11-18' - number * 7 % 1000 as day) as days
    cross join lateral (
        select
            sum(amount) as net,
            sum(amount) + sum(tax) as total,
            jsonb_agg(jsonb_build_object(
                'LineItemID', md5('line' || number || '/' || line)::uuid,
                'Description', 'Line ' || line || ' of invoice ' || number,
                'Quantity', 1 + number % 3,
                'UnitAmount', amount / (1 + number % 3),
                'LineAmount', amount, 'TaxAmount', tax, 'TaxType', 'OUTPUT2',
                'AccountCode', case
                    when number % 5 < 3 then 200 + line else 400 + (number + line) % 12
                end::text,
                'Tracking', '[]'::jsonb
            ) order by line) as lines
        from (
            select
                line,
                (100 + (number * 37 + line * 11) % 90000)::numeric / 100 as amount,
                round((100 + (number * 37 + line * 11) % 90000)::numeric * 0.15 / 100, 2) as tax
            from generate_series(1, 3) as line
        ) as priced
    ) as summed;
end;

create function public.payment(number integer, amount numeric) returns jsonb stable language sql
return jsonb_build_object(
    'PaymentID', md5('payment' || number)::uuid,
    'PaymentType', case when number % 5 < 3 then 'ACCRECPAYMENT' else 'ACCPAYPAYMENT' end,
    'Status', 'AUTHORISED', 'IsReconciled', true,
    'Date', public.stamp(date '2026-11-18' - number * 7 % 1000 + 20),
    'Amount', amount,
    'BankAmount', case when number % 20 = 0 then round(amount / 0.62, 2) else amount end,
    'CurrencyRate', case when number % 20 = 0 then 0.62 else 1 end,
    'Account', jsonb_build_object('AccountID', md5('account090')::uuid, 'Code', '090'),
    'Invoice', jsonb_build_object(
        'InvoiceID', md5('invoice' || number)::uuid,
        'CurrencyCode', case when number % 20 = 0 then 'USD' else 'NZD' end
    )
);

create function public.total(number integer) returns numeric immutable language sql
return (
    select sum(cents::numeric / 100 + round(cents::numeric * 0.15 / 100, 2))
    from (
        select 100 + (number * 37 + line * 11) % 90000 as cents from generate_series(1, 3) as line
    ) as lines
);
"""

_FIRST_LOAD = """
insert into xero_ops.tenants (tenant_id, tenant_name, complete_at, complete_day)
select md5('tenant' || tenant)::uuid, 'Tenant ' || tenant, :known_at, date '2026-11-19'
from public.size cross join generate_series(1, size.tenants) as tenant
;;
insert into xero_ops.extract_runs (tenant_id, day, known_at, state)
select tenant_id, date '2026-11-19', :known_at, 'complete' from xero_ops.tenants
;;
insert into xero_raw.organisations (tenant_id, record_id, known_from, payload, run_id)
select tenant_id, 'organisation', :known_at, jsonb_build_object(
    'Name', tenant_name, 'BaseCurrency', 'NZD', 'Timezone', 'NEWZEALANDSTANDARDTIME',
    'FinancialYearEndDay', 31, 'FinancialYearEndMonth', 3
), 1
from xero_ops.tenants
;;
insert into xero_raw.accounts (tenant_id, record_id, known_from, payload, run_id)
select tenant_id, md5('account' || code)::uuid, :known_at, jsonb_build_object(
    'AccountID', md5('account' || code)::uuid, 'Code', code, 'Name', 'Account ' || code,
    'Type', type, 'Class', class, 'Status', 'ACTIVE', 'SystemAccount', system_account
), 1
from xero_ops.tenants
cross join (
    values
    ('090', 'BANK', 'ASSET', null), ('610', 'CURRENT', 'ASSET', 'DEBTORS'),
    ('800', 'CURRLIAB', 'LIABILITY', 'CREDITORS'), ('820', 'CURRLIAB', 'LIABILITY', 'GST'),
    ('860', 'CURRLIAB', 'LIABILITY', 'ROUNDING'), ('960', 'EQUITY', 'EQUITY', 'RETAINEDEARNINGS'),
    ('497', 'EXPENSE', 'EXPENSE', 'REALISEDCURRENCYGAIN'),
    ('201', 'REVENUE', 'REVENUE', null), ('202', 'REVENUE', 'REVENUE', null),
    ('203', 'OTHERINCOME', 'REVENUE', null)
    union all
    select (400 + number)::text, case when number < 4 then 'DIRECTCOSTS' else 'EXPENSE' end,
        'EXPENSE', null
    from generate_series(0, 11) as number
) as chart (code, type, class, system_account)
;;
insert into xero_raw.contacts (tenant_id, record_id, known_from, payload, run_id)
select tenant_id, md5('contact' || number)::uuid, :known_at, jsonb_build_object(
    'ContactID', md5('contact' || number)::uuid, 'Name', 'Contact ' || number,
    'ContactStatus', 'ACTIVE', 'IsCustomer', true, 'IsSupplier', true
), 1
from xero_ops.tenants cross join generate_series(0, 499) as number
;;
insert into xero_raw.invoices (tenant_id, record_id, known_from, payload, run_id)
select
    tenant_id, md5('invoice' || number)::uuid, :known_at,
    public.invoice(
        number, :known_at, case when number % 10 < 8 then public.total(number) else 0 end, '{}'
    ), 1
from xero_ops.tenants cross join public.size cross join generate_series(1, size.invoices) as number
;;
insert into xero_raw.payments (tenant_id, record_id, known_from, payload, run_id)
select
    tenant_id, md5('payment' || number)::uuid, :known_at,
    public.payment(number, public.total(number)), 1
from xero_ops.tenants cross join public.size cross join generate_series(1, size.invoices) as number
where number % 10 < 8
;;
insert into xero_raw.bank_transactions (tenant_id, record_id, known_from, payload, run_id)
select tenant_id, md5('bank' || number)::uuid, :known_at, jsonb_build_object(
    'BankTransactionID', md5('bank' || number)::uuid,
    'Type', case when number % 3 = 0 then 'RECEIVE' else 'SPEND' end,
    'Status', 'AUTHORISED', 'IsReconciled', number % 7 > 0, 'LineAmountTypes', 'NoTax',
    'Contact', jsonb_build_object('ContactID', md5('contact' || number % 500)::uuid),
    'BankAccount', jsonb_build_object('AccountID', md5('account090')::uuid),
    'Date', public.stamp(date '2026-11-18' - number * 11 % 1000),
    'CurrencyCode', 'NZD', 'SubTotal', number % 700 + 1, 'TotalTax', 0, 'Total', number % 700 + 1,
    'LineItems', jsonb_build_array(jsonb_build_object(
        'AccountCode', (400 + number % 12)::text, 'LineAmount', number % 700 + 1, 'TaxAmount', 0,
        'TaxType', 'NONE'
    ))
), 1
from xero_ops.tenants
cross join public.size cross join generate_series(1, size.invoices / 5) as number
;;
insert into xero_raw.credit_notes (tenant_id, record_id, known_from, payload, run_id)
select tenant_id, md5('credit' || number)::uuid, :known_at, jsonb_build_object(
    'CreditNoteID', md5('credit' || number)::uuid, 'Type', 'ACCRECCREDIT', 'Status', 'AUTHORISED',
    'CreditNoteNumber', 'CN-' || number, 'LineAmountTypes', 'NoTax', 'CurrencyCode', 'NZD',
    'Contact', jsonb_build_object('ContactID', md5('contact' || number % 500)::uuid),
    'Date', public.stamp(date '2026-11-18' - number * 13 % 1000),
    'SubTotal', 50, 'TotalTax', 0, 'Total', 50, 'RemainingCredit', 50,
    'LineItems', jsonb_build_array(jsonb_build_object(
        'AccountCode', '201', 'LineAmount', 50, 'TaxAmount', 0, 'TaxType', 'NONE'
    )),
    'Allocations', '[]'::jsonb
), 1
from xero_ops.tenants
cross join public.size cross join generate_series(1, size.invoices / 50) as number
;;
drop table if exists public.done
"""

_NEXT_NIGHT = """
insert into xero_ops.extract_runs (tenant_id, day, known_at, state)
select tenant_id, date '2026-11-19' + :night, :known_at, 'complete' from xero_ops.tenants
;;
update xero_ops.tenants set complete_at = :known_at, complete_day = date '2026-11-19' + :night
;;
create table public.moved as
select tenant_id, number, number % 400 = 198 + :night * 10 as is_paid
from xero_ops.tenants cross join public.size cross join generate_series(1, size.invoices) as number
where number % 200 = 9 + :night or number % 400 = 198 + :night * 10
;;
update xero_raw.invoices set known_to = :known_at
from public.moved
where
    invoices.tenant_id = moved.tenant_id
    and invoices.record_id = md5('invoice' || number)::uuid::text
    and invoices.known_to is null
;;
insert into xero_raw.invoices (tenant_id, record_id, known_from, payload, run_id)
select
    tenant_id, md5('invoice' || number)::uuid, :known_at,
    public.invoice(
        number, :known_at,
        case when is_paid or number % 10 < 8 then public.total(number) else 0 end,
        '{"Reference": "edited on night :night"}'
    ), 1
from public.moved
;;
insert into xero_raw.invoices (tenant_id, record_id, known_from, payload, run_id)
select
    tenant_id, md5('invoice' || number)::uuid, :known_at,
    public.invoice(
        number, :known_at, case when number % 2 = 0 then public.total(number) else 0 end, '{}'
    ), 1
from xero_ops.tenants
cross join public.size
cross join lateral generate_series(
    size.invoices + 1 + (:night - 1) * size.invoices / 400,
    size.invoices + :night * size.invoices / 400
) as number
;;
insert into xero_raw.payments (tenant_id, record_id, known_from, payload, run_id)
select
    tenant_id, md5('payment' || number)::uuid, :known_at,
    public.payment(number, public.total(number)), 1
from xero_ops.tenants
cross join public.size
cross join lateral generate_series(
    size.invoices + 1 + (:night - 1) * size.invoices / 400,
    size.invoices + :night * size.invoices / 400
) as number
where number % 2 = 0
;;
insert into xero_raw.payments (tenant_id, record_id, known_from, payload, run_id)
select
    tenant_id, md5('payment' || number)::uuid, :known_at,
    public.payment(number, public.total(number)), 1
from public.moved
where is_paid
;;
drop table public.moved
"""

_OF_THAT_MONTH = """
update xero_raw.invoices
set payload = payload || jsonb_build_object(
    'Date', public.stamp(date '2026-11-19' + :night - (hashtext(record_id) & 31)),
    'DueDate', public.stamp(date '2026-11-19' + :night - (hashtext(record_id) & 31) + 30)
)
where known_from = :known_at and payload ->> 'Reference' like 'Order%'
;;
update xero_raw.payments
set payload = payload || jsonb_build_object('Date', public.stamp(
    date '2026-11-19' + :night - (hashtext(payload -> 'Invoice' ->> 'InvoiceID') & 31)
))
where known_from = :known_at
"""

_LET_READ = """
with asked as (
    select tenant_id, complete_day - 365 as day from xero_ops.tenants
    order by tenant_id desc
    limit 1
),

let as (
    insert into xero_ops.reader_tenants (reader_name, tenant_id)
    select %(reader)s, tenant_id from asked
    on conflict do nothing
)

select tenant_id, day from asked
"""

_QUESTION = "select * from xero_marts.rpt_daily_statistics where tenant_id = %s and day > %s"


if __name__ == "__main__":
    main()
