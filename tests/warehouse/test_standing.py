"""How an organisation is doing: every state, and which one wins."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest

from airflow_xero import runs
from airflow_xero.errors import ConsentLostError
from airflow_xero.standing import (
    OrganisationStatus,
    skipped_tenants,
    status,
    tenants_to_extract,
)

DAY = date(2026, 11, 20)


@pytest.fixture
def tenant_id(consents, xero_sandbox) -> str:
    """Kauri, the only organisation that is connected; it was never extracted."""
    kauri = xero_sandbox.organisations()["Kauri Coffee Roasters"]
    consents.run(organisations=[kauri])
    return str(kauri)


@pytest.fixture
def one(warehouse, tenant_id):
    """Its status, as a page would read it now."""

    def read() -> OrganisationStatus:
        (found,) = status(warehouse, "xero_default")
        assert found.tenant_id == tenant_id
        return found

    return read


def start(connection: psycopg.Connection, tenant_id: str, day: date = DAY) -> runs.Run:
    return runs.start(connection, tenant_id, day=day, dag_run_id=None)


def lose_the_consent(warehouse, xero_sandbox, token_store) -> str:
    xero_sandbox.control("POST", "revoke", {"email": "ava@example.com"})
    ((grant_id,),) = warehouse.execute("select grant_id::text from xero_ops.grants").fetchall()
    with pytest.raises(ConsentLostError) as lost:
        token_store.fresh(grant_id, now=datetime.now(UTC) + timedelta(hours=1))
    return lost.value.message


def test_an_organisation_that_was_never_extracted_is_new(one, tenant_id):
    found = one()

    assert found.state == "new"
    assert (found.tenant_name, found.connected_by) == ("Kauri Coffee Roasters", "ada")
    assert abs(datetime.now(UTC) - found.connected_at) < timedelta(minutes=1)
    unknown = (
        found.complete_day,
        found.complete_at,
        found.last_run_day,
        found.last_run_state,
        found.last_run_reason,
        found.resume_at,
    )
    assert set(unknown) == {None}


def test_a_run_is_extracting_only_while_its_lock_is_held(one, tenant_id, warehouse_dsn):
    with psycopg.connect(warehouse_dsn, autocommit=True) as worker:
        with runs.tenant_lock(worker, tenant_id):
            start(worker, tenant_id)
            assert (one().state, one().last_run_reason) == ("extracting", None)
        assert one().state == "failed"


def test_a_run_that_was_killed_has_failed_and_says_so(one, tenant_id, connect):
    worker = connect()
    lock = runs.tenant_lock(worker, tenant_id)
    lock.__enter__()
    start(worker, tenant_id)
    assert one().state == "extracting"

    worker.close()

    # Postgres frees the lock once it has noticed.
    give_up_at = datetime.now(UTC) + timedelta(seconds=10)
    while one().state == "extracting" and datetime.now(UTC) < give_up_at:
        time.sleep(0.01)
    assert one().state == "failed"
    assert "The task was killed" in str(one().last_run_reason)


def test_the_lock_of_another_organisation_or_another_name_counts_for_nothing(
    one, tenant_id, warehouse, warehouse_dsn
):
    start(warehouse, tenant_id)
    with psycopg.connect(warehouse_dsn, autocommit=True) as other:
        other.execute("select pg_advisory_lock(hashtextextended('something else', 0))")
        with runs.tenant_lock(other, "99999999-9999-9999-9999-999999999999"):
            assert one().state == "failed"


def test_the_same_lock_in_another_database_counts_for_nothing(
    one, tenant_id, warehouse, empty_database_dsn
):
    start(warehouse, tenant_id)
    with (
        psycopg.connect(empty_database_dsn, autocommit=True) as other,
        runs.tenant_lock(other, tenant_id),
    ):
        assert one().state == "failed"


def test_a_complete_run_makes_an_organisation_healthy(one, tenant_id, warehouse):
    run = start(warehouse, tenant_id)
    runs.complete(warehouse, tenant_id, run)

    found = one()

    assert (found.state, found.last_run_state) == ("healthy", "complete")
    assert (found.complete_day, found.last_run_day) == (DAY, DAY)
    assert found.complete_at == run.known_at


def test_a_remark_of_a_complete_run_is_shown(one, tenant_id, warehouse):
    runs.complete(warehouse, tenant_id, start(warehouse, tenant_id), remark="no report")

    assert (one().state, one().last_run_reason) == ("healthy", "no report")


def test_a_limit_is_shown_with_the_moment_it_opens(one, tenant_id, warehouse):
    run = start(warehouse, tenant_id)
    runs.wait_for_limit(warehouse, tenant_id, run, reason="day limit", seconds=3600)

    found = one()

    assert (found.state, found.last_run_reason) == ("waiting_for_limit", "day limit")
    assert found.resume_at
    assert timedelta(minutes=59) < found.resume_at - datetime.now(UTC) < timedelta(minutes=61)


def test_a_failed_run_shows_its_reason_and_keeps_the_last_complete_day(one, tenant_id, warehouse):
    runs.complete(warehouse, tenant_id, start(warehouse, tenant_id))
    next_day = DAY + timedelta(days=1)
    run = start(warehouse, tenant_id, next_day)
    runs.fail(warehouse, tenant_id, run, reason="Xero cannot answer now")

    found = one()

    assert (found.state, found.last_run_reason) == ("failed", "Xero cannot answer now")
    assert (found.complete_day, found.last_run_day) == (DAY, next_day)


def test_the_last_run_is_the_one_that_began_last_whatever_its_day(one, tenant_id, warehouse):
    failed = start(warehouse, tenant_id)
    runs.fail(warehouse, tenant_id, failed, reason="late")
    earlier = start(warehouse, tenant_id, DAY - timedelta(days=7))
    runs.complete(warehouse, tenant_id, earlier)

    assert (one().state, one().last_run_day) == ("healthy", DAY - timedelta(days=7))


@pytest.mark.parametrize("ending", ["complete", "failed", "waiting", "running"])
def test_a_lost_consent_wins_over_any_run_and_gives_the_reason(
    ending, one, tenant_id, warehouse, xero_sandbox, token_store
):
    run = start(warehouse, tenant_id)
    if ending == "complete":
        runs.complete(warehouse, tenant_id, run, remark="no report")
    if ending == "failed":
        runs.fail(warehouse, tenant_id, run, reason="Xero cannot answer now")
    if ending == "waiting":
        runs.wait_for_limit(warehouse, tenant_id, run, reason="day limit", seconds=60)

    said = lose_the_consent(warehouse, xero_sandbox, token_store)

    assert (one().state, one().last_run_reason) == ("needs_reconnect", said)
    assert tenants_to_extract(warehouse, "xero_default") == []
    (skipped,) = skipped_tenants(warehouse, "xero_default")
    assert (skipped.tenant_id, skipped.reason) == (tenant_id, said)


def test_a_lost_consent_without_a_word_still_says_what_to_do(one, warehouse):
    warehouse.execute("update xero_ops.grants set state = 'needs_reconnect', state_reason = null")

    (skipped,) = skipped_tenants(warehouse, "xero_default")
    assert skipped.reason == "the user must press Connect to Xero again"
    assert one().state == "needs_reconnect"


def test_disconnected_wins_over_a_lost_consent_and_is_not_skipped_but_gone(
    one, warehouse, xero_sandbox, token_store
):
    lose_the_consent(warehouse, xero_sandbox, token_store)
    warehouse.execute("update xero_ops.connections set disconnected_at = now()")

    assert one().state == "disconnected"
    assert skipped_tenants(warehouse, "xero_default") == []
    assert tenants_to_extract(warehouse, "xero_default") == []


def test_an_organisation_that_is_connected_again_shows_its_last_run(
    one, tenant_id, warehouse, xero_sandbox, token_store, consents
):
    runs.complete(warehouse, tenant_id, start(warehouse, tenant_id))
    lose_the_consent(warehouse, xero_sandbox, token_store)

    consents.run(organisations=[tenant_id], started_by="bob")

    assert (one().state, one().connected_by) == ("healthy", "bob")
    assert [tenant.tenant_id for tenant in tenants_to_extract(warehouse, "xero_default")] == [
        tenant_id
    ]
    assert skipped_tenants(warehouse, "xero_default") == []


def test_a_question_leaves_no_transaction_open(tenant_id, connect):
    reader = connect()

    for question in (status, tenants_to_extract, skipped_tenants):
        question(reader, "xero_default")

    runs.start(reader, tenant_id, day=DAY, dag_run_id=None)
    with runs.tenant_lock(reader, tenant_id):
        pass
