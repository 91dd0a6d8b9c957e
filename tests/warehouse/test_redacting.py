"""A contact whose person asked Xero to be forgotten: older versions are redacted at once."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest

from airflow_xero.extract import Tenant
from tests.warehouse.extraction import BY_NAME, DAY, NOW, ConnectedApp

SECRETS = ("Hinemoa Ngata", "hinemoa@example.com", "98-765-432")


@pytest.fixture
def xero(xero_sandbox, warehouse_dsn):
    with ConnectedApp(xero_sandbox, warehouse_dsn) as connected:
        connected.endpoints = [BY_NAME["organisations"], BY_NAME["contacts"]]
        yield connected


def versions(xero: ConnectedApp, contact_id: str) -> list[tuple[str, set[str], bool]]:
    """Status, names of the fields, and whether it is current, of every version."""
    rows = xero.rows.execute(
        "select payload, known_to is null from xero_raw.contacts"
        " where record_id = %s order by known_from",
        (contact_id,),
    ).fetchall()
    return [(payload["ContactStatus"], set(payload), current) for payload, current in rows]


def mentions(xero: ConnectedApp, word: str, *, current: bool = False) -> int:
    row = xero.rows.execute(
        "select count(*) from xero_raw.contacts"
        " where strpos(payload::text, %s) > 0 and (known_to is null) = %s",
        (word, current),
    ).fetchone()
    return int(row[0]) if row else -1


def night(xero: ConnectedApp, tenant: Tenant, number: int) -> None:
    if number:
        # A clock that is set back takes back what was done.
        xero.set_clock(NOW + timedelta(days=number))
    assert xero.extract(tenant, DAY + timedelta(days=number)).state == "complete"


@pytest.fixture
def forgotten(xero) -> tuple[Tenant, str, str]:
    """Two contacts with two versions each; one of them is forgotten at Xero, nobody knows yet."""
    tenant = xero.organisation()
    made = [
        xero.do(tenant, "create_contact", name=f"{SECRETS[0]} {number}", email=SECRETS[1])
        for number in (1, 2)
    ]
    one, other = (each["ContactID"] for each in made)
    night(xero, tenant, 0)
    for contact_id in (one, other):
        xero.do(tenant, "edit_contact", id=contact_id, email="new@example.com")
    night(xero, tenant, 1)
    xero.do(tenant, "forget_contact", id=one)
    return tenant, one, other


def test_every_older_version_loses_all_but_its_ids_and_keeps_its_time(xero, forgotten):
    tenant, one, other = forgotten
    kept = versions(xero, other)
    times = "select known_from, known_to, run_id from xero_raw.contacts order by 1, 2, 3"
    before = xero.rows.execute(times).fetchall()
    assert mentions(xero, SECRETS[1]) == 2

    night(xero, tenant, 2)

    first, second, current = versions(xero, one)
    assert first[1] <= {
        *("ContactID", "ContactStatus", "UpdatedDateUTC", "IsSupplier", "IsCustomer")
    }
    assert second[1] == first[1]
    assert current[0] == "GDPRREQUEST"
    assert [each[2] for each in (first, second, current)] == [False, False, True]
    assert versions(xero, other) == kept
    assert mentions(xero, SECRETS[1]) == 1
    after = xero.rows.execute(times).fetchall()
    assert [row[0] for row in after if row in before or row[1] is not None] != []


def test_the_redaction_is_part_of_the_pages_transaction(xero, forgotten):
    tenant, one, _ = forgotten
    xero.rows.execute(
        "create function refuse() returns trigger language plpgsql as"
        " $$ begin raise exception 'no' using errcode = '57014'; end $$;"
        "create trigger zz_refuse after insert on xero_raw.contacts"
        " for each row execute function refuse()"
    )
    with pytest.raises(Exception, match="no"):
        night(xero, tenant, 2)

    assert mentions(xero, SECRETS[1]) == 2
    assert len(versions(xero, one)) == 2


def test_who_was_forgotten_before_the_migration_is_redacted_by_it(
    postgres_server, empty_database_dsn
):
    """The older versions that a warehouse of an earlier version has kept."""
    from importlib import resources

    from airflow_xero import migrate

    files = [name for name in migrate._files() if name < "0008"]
    with psycopg.connect(empty_database_dsn, autocommit=True) as connection:
        connection.execute(migrate._BOOKKEEPING)
        for name in files:
            migrate._apply(connection, name)
        connection.execute(
            "insert into xero_raw.contacts"
            " (tenant_id, record_id, known_from, known_to, payload, run_id)"
            " select gen_random_uuid(), 'a', now() - interval '2 days', now(),"
            """ '{"ContactID": "a", "Name": "Hinemoa", "ContactStatus": "ACTIVE"}', 1"""
        )
        connection.execute(
            "insert into xero_raw.contacts (tenant_id, record_id, known_from, payload, run_id)"
            """ select tenant_id, 'a', now(), '{"ContactStatus": "GDPRREQUEST"}', 2"""
            " from xero_raw.contacts"
        )
        assert (resources.files("airflow_xero") / "sql" / "0008_connecting.sql").is_file()

        migrate.migrate(connection)

        assert connection.execute(
            "select payload from xero_raw.contacts order by known_from limit 1"
        ).fetchone() == ({"ContactID": "a", "ContactStatus": "ACTIVE"},)
