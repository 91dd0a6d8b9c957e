"""What the marts hold back until it is switched on: tax and bank account numbers, and users.

Knows what an organisation of the sandbox sends; must not know how a model reads it. Every column
of every mart is looked through as somebody who reads the organisation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from psycopg import sql

from tests.warehouse.marts.loaded import Built, Warehouse
from tests.warehouse.marts.pretend_books import LAST_DAY
from tests.warehouse.marts.test_dbt_access import RELATIONS

READ = "every kind"
NOTHING = "nothing again"
# Switch → where Xero sends what it holds back: the endpoint and its field.
FIELDS = {
    "tax_numbers": [("contacts", "TaxNumber"), ("organisations", "TaxNumber")],
    "bank_account_numbers": [("contacts", "BankAccountDetails"), ("accounts", "BankAccountNumber")],
    "users": [("users", "UserID"), ("users", "EmailAddress")],
}
SHOWN = {
    "tax_numbers": {"dim_contacts.tax_number"},
    "bank_account_numbers": {
        "dim_accounts.bank_account_number",
        "dim_contacts.bank_account_number",
    },
    "users": {"dim_users.email_address", "dim_users.user_id"},
}
SWITCHED = ("dim_accounts", "dim_contacts", "dim_users")

Found = Mapping[str, set[str]]


def personal(marts: Warehouse) -> dict[str, set[str]]:
    """What the organisation sent that each switch holds back."""
    (records,) = marts.tenants[READ].nights.values()
    return {
        switch: {
            str(record[field])
            for endpoint, field in fields
            for record in records[endpoint]
            if record.get(field)
        }
        for switch, fields in FIELDS.items()
    }


def texts(marts: Warehouse) -> dict[str, str]:
    """All that a reader of the organisation finds in each column, as text; of views on one day."""
    found: dict[str, str] = {}
    with marts.connect() as connection:
        connection.execute(
            "insert into xero_ops.reader_tenants (reader_name, tenant_id) values ('bi_reader', %s)",
            (marts.tenants[READ].tenant_id,),
        )
        connection.execute("set role bi_reader")
        for name, kind, day_column in connection.execute(RELATIONS).fetchall():
            query = sql.SQL(
                "select field.key, string_agg(distinct field.value, '\n') from xero_marts.{}"
                " as mart cross join lateral jsonb_each_text(to_jsonb(mart)) as field"
            ).format(sql.Identifier(name))
            if kind == "v" and day_column:
                day = LAST_DAY if day_column == "day" else LAST_DAY.replace(month=10, day=31)
                query += sql.SQL(" where {} = {}").format(sql.Identifier(day_column), day)
            rows = connection.execute(query + sql.SQL(" group by field.key")).fetchall()
            found |= {f"{name}.{column}": text for column, text in rows if text}
        connection.rollback()
    return found


def columns_with(marts: Warehouse) -> Found:
    """The columns of the marts in which something stands that a switch holds back."""
    seen = texts(marts)
    assert len({column.partition(".")[0] for column in seen}) > 40
    return {
        switch: {column for column, text in seen.items() if any(one in text for one in values)}
        for switch, values in personal(marts).items()
    }


@pytest.fixture(scope="module")
def at_first(built: Built) -> Found:
    """What is found after the first build, with every switch as the project has it."""
    return columns_with(built.warehouse)


@pytest.fixture(scope="module")
def switched(
    built: Built, at_first: Found, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Found]:
    """What is found with one switch on after the other, each alone, and with none again."""
    # A target of its own: other variables would spoil the partial parse of the next build.
    marts = replace(built.warehouse, target=tmp_path_factory.mktemp("dbt_switched"))
    found: dict[str, Found] = {}
    try:
        for switch in FIELDS:
            marts.dbt("run", "--select", *SWITCHED, **{switch: True})
            found[switch] = columns_with(marts)
    finally:
        marts.dbt("run", "--select", *SWITCHED)
    return {**found, NOTHING: columns_with(marts)}


def test_there_is_something_to_hold_back(marts):
    assert {switch for switch, values in personal(marts).items() if len(values) > 1} == {*FIELDS}


def test_no_mart_shows_what_nobody_switched_on(at_first):
    assert at_first == {switch: set() for switch in FIELDS}


@pytest.mark.parametrize("switch", FIELDS)
def test_a_switch_shows_its_own_columns_and_no_other(switched, switch):
    assert switched[switch] == {name: SHOWN[name] if name == switch else set() for name in FIELDS}


def test_what_is_switched_off_again_goes_although_no_record_changed(switched):
    assert switched[NOTHING] == {switch: set() for switch in FIELDS}
