"""Lost and lapsing consents, paused organisations, and what is purged at Xero."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from airflow_xero import causes
from airflow_xero.audit import Actor
from airflow_xero.disconnect import disconnect
from airflow_xero.errors import ConsentLostError, NotConnectedError
from airflow_xero.lapsing import lapsing_consents, lost_consents, renew_unused
from airflow_xero.notify import note
from airflow_xero.pausing import is_paused, pause, unpause
from airflow_xero.purging import Purged, purge
from airflow_xero.standing import tenants_to_extract
from tests.warehouse.connections import AVA, BEACON, KAITO, KAURI, STUDIO, grant_of, names
from tests.warehouse.grants import state_of

GRACE = Actor("grace", "192.0.2.7")
XERO = "xero_default"


def now(days: float = 0) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


@pytest.fixture
def lose(xero_sandbox, warehouse, token_store):
    """Let a user take their consent back, and the next refresh find out."""

    def run(email: str = AVA) -> None:
        xero_sandbox.control("POST", "revoke", {"email": email})
        with pytest.raises(ConsentLostError):
            token_store.fresh(grant_of(warehouse, email), now=now(1))

    return run


@pytest.fixture
def tidy(app, warehouse, token_store, http):
    """Purge as of some days from now."""

    def run(days: float = 0) -> Purged:
        return purge(app, warehouse=warehouse, tokens=token_store, http=http, now=now(days))

    return run


def listed_at_xero(sandbox, http) -> set[str]:
    """What counts against the app's cap, by organisation."""
    answer = http.post(
        f"{sandbox.url}/connect/token",
        data={"grant_type": "client_credentials", "scope": "app.connections"},
        auth=(sandbox.client_id, sandbox.client_secret),
    )
    token = answer.json()["access_token"]
    found = http.get(f"{sandbox.url}/connections", headers={"Authorization": f"Bearer {token}"})
    return {each["tenantName"] for each in found.json()}


# --- Told ---------------------------------------------------------------------------------------


def test_a_lost_consent_is_told_once_per_organisation_and_again_after_a_week(
    connected, lose, warehouse
):
    lose()

    told = causes.of_consents(warehouse, XERO, now=now())
    assert [(each.cause.split(":")[0], each.title, each.tenant_id) for each in told] == [
        ("needs_reconnect", f"Xero: {name} must be connected again", tenant_id)
        for name, tenant_id in [(each.tenant_name, each.tenant_id) for each in connected]
    ]
    assert all("Ava Ngata, who connected it," in each.advice for each in told)
    assert [note(warehouse, told, now=now(days)) for days in (0, 0.01, 1, 6, 7, 8, 14)] == [
        *(2, 0, 0, 0, 2, 0, 2)
    ]


def test_who_came_by_an_invitation_needs_another_one_and_that_is_said(
    consents, lose, xero_sandbox, warehouse
):
    kauri = xero_sandbox.organisations()[KAURI]
    consents.run(AVA, organisations=[kauri], started_by="ada (by invitation)")
    consents.run(KAITO)
    lose(AVA)
    lose(KAITO)

    told = {each.title: each.advice for each in causes.of_consents(warehouse, XERO, now=now())}

    assert {title: "send a new one" in advice for title, advice in told.items()} == {
        f"Xero: {KAURI} must be connected again": True,
        f"Xero: {STUDIO} must be connected again": False,
    }


def test_nobody_is_told_while_another_users_consent_reaches_it(
    consents, lose, xero_sandbox, warehouse
):
    kauri = xero_sandbox.organisations()[KAURI]
    both = {"email": KAITO, "name": "Kaito Mori", "organisations": [kauri]}
    xero_sandbox.control("POST", "users", both)
    consents.run(AVA, organisations=[kauri])
    consents.run(KAITO)

    lose(AVA)

    assert lost_consents(warehouse, XERO) == []
    assert names(tenants_to_extract(warehouse, XERO)) == [KAURI]


def test_nobody_is_told_of_what_was_paused_or_disconnected(consents, lose, warehouse):
    kauri, beacon = sorted(consents.run(), key=lambda each: each.tenant_name != KAURI)
    lose()
    pause(warehouse, XERO, kauri.tenant_id, actor=GRACE, now=now())
    warehouse.execute(
        "update xero_ops.connections set disconnected_at = now() where tenant_id = %s",
        (beacon.tenant_id,),
    )

    assert lost_consents(warehouse, XERO) == []


@pytest.mark.parametrize(("idle_days", "told"), [(0, 0), (49.9, 0), (50.1, 2), (59.9, 2), (70, 2)])
def test_a_consent_that_nothing_uses_is_told_before_its_sixty_days_are_over(
    idle_days, told, connected, warehouse
):
    found = lapsing_consents(warehouse, XERO, now=now(idle_days))

    assert len(found) == told
    assert {each.lapses_on for each in found} <= {now(60).date()}


def test_a_paused_organisation_is_told_of_before_its_consent_lapses(connected, warehouse):
    for each in connected:
        pause(warehouse, XERO, each.tenant_id, actor=GRACE, now=now())

    told = causes.of_consents(warehouse, XERO, now=now(51))

    assert [each.title for each in told] == [
        f"Xero: the consent for {name} ends on {now(60).date()}" for name in (BEACON, KAURI)
    ]
    assert {each.repeat_days for each in told} == {7}


def test_using_the_consent_ends_the_reminder(connected, warehouse, token_store):
    warehouse.execute("update xero_ops.grants set refreshed_at = now() - interval '55 days'")
    assert len(lapsing_consents(warehouse, XERO, now=now())) == 2

    token_store.fresh(grant_of(warehouse), now=now(0.1))

    assert lapsing_consents(warehouse, XERO, now=now()) == []


# --- Renewed ------------------------------------------------------------------------------------


@pytest.fixture
def of_two_users(consents, xero_sandbox) -> str:
    """An organisation that Ava and Kaito both connected; Ava's consent is used."""
    kauri = str(xero_sandbox.organisations()[KAURI])
    both = {"email": KAITO, "name": "Kaito Mori", "organisations": [kauri]}
    xero_sandbox.control("POST", "users", both)
    consents.run(KAITO)
    consents.run(AVA, organisations=[kauri])
    return kauri


def test_a_second_users_consent_still_takes_over_after_two_months_of_disuse(
    of_two_users, xero_sandbox, warehouse, token_store
):
    for days in (25, 50, 75):
        xero_sandbox.control("POST", "clocks", {"identity": now(days).isoformat()})
        token_store.fresh(grant_of(warehouse, AVA), now=now(days))
        renewed = renew_unused(warehouse, XERO, tokens=token_store, now=now(days))
        assert renewed == (1 if days == 50 else 0)
    xero_sandbox.control("POST", "revoke", {"email": AVA})
    with pytest.raises(ConsentLostError):
        token_store.fresh(grant_of(warehouse, AVA), now=now(76))

    (tenant,) = tenants_to_extract(warehouse, XERO)

    assert tenant.grant_id == grant_of(warehouse, KAITO)
    assert token_store.fresh(tenant.grant_id, now=now(76)).value


def test_a_second_users_consent_that_cannot_be_renewed_is_lost_and_another_one_is_renewed(
    of_two_users, xero_sandbox, warehouse, token_store
):
    xero_sandbox.control("POST", "revoke", {"email": AVA})

    assert renew_unused(warehouse, XERO, tokens=token_store, now=now(31)) == 1

    assert state_of(warehouse, grant_of(warehouse, AVA))[0] == "needs_reconnect"
    assert state_of(warehouse, grant_of(warehouse, KAITO))[0] == "active"


def test_what_reaches_nothing_or_was_used_within_a_month_is_not_renewed(
    connected, xero_sandbox, warehouse, token_store
):
    xero_sandbox.control("DELETE", "requests")

    assert renew_unused(warehouse, XERO, tokens=token_store, now=now(29)) == 0
    warehouse.execute("update xero_ops.connections set disconnected_at = now()")
    assert renew_unused(warehouse, XERO, tokens=token_store, now=now(31)) == 0

    assert xero_sandbox.control("GET", "requests") == []


# --- Paused -------------------------------------------------------------------------------------


def test_a_paused_organisation_is_left_out_until_it_is_taken_up_again(connected, warehouse):
    kauri = next(each for each in connected if each.tenant_name == KAURI)

    pause(warehouse, XERO, kauri.tenant_id, actor=GRACE, now=now())
    pause(warehouse, XERO, kauri.tenant_id, actor=Actor("heidi"), now=now(1))
    assert names(tenants_to_extract(warehouse, XERO)) == [BEACON]
    assert is_paused(warehouse, XERO, kauri.tenant_id)
    assert not is_paused(warehouse, "xero_second", kauri.tenant_id)
    assert warehouse.execute(
        "select distinct paused_by from xero_ops.connections where paused_at is not null"
    ).fetchall() == [("grace",)]

    unpause(warehouse, XERO, kauri.tenant_id, actor=GRACE, now=now())
    assert names(tenants_to_extract(warehouse, XERO)) == [BEACON, KAURI]
    assert warehouse.execute(
        "select actor, host(address), action, outcome from xero_ops.audit_log"
        " where action <> 'connect' order by entry_id"
    ).fetchall() == [
        ("grace", "192.0.2.7", "pause", "paused"),
        ("heidi", None, "pause", "paused"),
        ("grace", "192.0.2.7", "unpause", "unpaused"),
    ]


def test_another_users_consent_does_not_begin_a_paused_organisation_again(
    consents, xero_sandbox, warehouse
):
    kauri = xero_sandbox.organisations()[KAURI]
    both = {"email": KAITO, "name": "Kaito Mori", "organisations": [kauri]}
    xero_sandbox.control("POST", "users", both)
    consents.run(AVA, organisations=[kauri])
    pause(warehouse, XERO, kauri, actor=GRACE, now=now())

    consents.run(KAITO)
    consents.run(AVA, organisations=[kauri])

    assert tenants_to_extract(warehouse, XERO) == []
    unpause(warehouse, XERO, kauri, actor=GRACE, now=now())
    assert names(tenants_to_extract(warehouse, XERO)) == [KAURI]


@pytest.mark.parametrize("change", [pause, unpause])
@pytest.mark.parametrize("tenant_id", ["99999999-9999-9999-9999-999999999999", "'; drop table"])
def test_an_unknown_organisation_is_not_paused_and_nothing_is_audited(
    change, tenant_id, connected, warehouse
):
    with pytest.raises(NotConnectedError):
        change(warehouse, XERO, tenant_id, actor=GRACE, now=now())

    assert warehouse.execute(
        "select count(*) from xero_ops.audit_log where action <> 'connect'"
    ).fetchone() == (0,)


# --- Purged -------------------------------------------------------------------------------------


def test_a_lost_consent_is_given_up_after_a_month_and_no_longer_counts_against_the_cap(
    consents, lose, tidy, xero_sandbox, warehouse, http
):
    consents.run(AVA)
    consents.run(KAITO)
    warehouse.execute("update xero_ops.authorisations set started_at = now() - interval '1 hour'")
    warehouse.execute(
        "update xero_ops.grants set state = 'needs_reconnect', lost_at = now()"
        " where user_email = %s",
        (AVA,),
    )

    assert tidy(29) == Purged(0, 0)
    assert listed_at_xero(xero_sandbox, http) == {BEACON, KAURI, STUDIO}

    assert tidy(31) == Purged(2, 0)
    assert listed_at_xero(xero_sandbox, http) == {STUDIO}
    assert lost_consents(warehouse, XERO) == []
    assert tidy(32) == Purged(0, 0)


def test_a_consent_that_was_unused_for_long_is_waited_for_from_the_day_it_was_lost(
    connected, tidy, xero_sandbox, warehouse, token_store, http
):
    warehouse.execute("update xero_ops.grants set refreshed_at = now() - interval '61 days'")
    warehouse.execute("update xero_ops.authorisations set started_at = now() - interval '1 hour'")
    forgotten = {"kind": "status", "status": 400, "body": '{"error": "invalid_grant"}', "times": 0}
    xero_sandbox.control("POST", "faults", {"path": "/connect/token", **forgotten})
    with pytest.raises(ConsentLostError):
        token_store.fresh(grant_of(warehouse), now=now(1))
    xero_sandbox.control("DELETE", "faults")

    assert tidy(30) == Purged(0, 0)
    assert len(lost_consents(warehouse, XERO)) == 2
    assert listed_at_xero(xero_sandbox, http) == {BEACON, KAURI}
    assert tidy(32) == Purged(2, 0)


def test_what_xero_ended_by_itself_is_asked_for_once_and_its_user_still_waited_for(
    connected, tidy, xero_sandbox, warehouse
):
    xero_sandbox.control("POST", "revoke", {"email": AVA})
    warehouse.execute("update xero_ops.authorisations set started_at = now() - interval '1 hour'")
    warehouse.execute(
        "update xero_ops.grants set state = 'needs_reconnect', lost_at = now() - interval '31 days'"
    )
    assert tidy() == Purged(0, 0)
    xero_sandbox.control("DELETE", "requests")

    assert tidy() == Purged(0, 0)

    assert xero_sandbox.control("GET", "requests") == []
    assert len(lost_consents(warehouse, XERO)) == 2


@pytest.mark.parametrize("later", [1.1, 40])
def test_what_nobody_could_end_at_xero_is_ended_there_a_day_later_or_whenever_it_can(
    later, connected, app, tidy, xero_sandbox, warehouse, token_store, http
):
    warehouse.execute("update xero_ops.grants set state = 'needs_reconnect'")
    rule = {"path": "/connect/token", "kind": "status", "status": 400, "times": 0}
    xero_sandbox.control("POST", "faults", rule)
    kauri = xero_sandbox.organisations()[KAURI]
    disconnect(
        app, kauri, warehouse=warehouse, tokens=token_store, http=http, actor=GRACE, now=now()
    )
    xero_sandbox.control("DELETE", "faults")
    assert KAURI in listed_at_xero(xero_sandbox, http)

    assert tidy(0.5) == Purged(0, 0)
    assert tidy(later) == Purged(1, 0)

    assert listed_at_xero(xero_sandbox, http) == {BEACON}


def test_a_consent_that_could_not_be_revoked_is_revoked_later(
    consents, app, tidy, xero_sandbox, warehouse, token_store, http
):
    consents.run(KAITO)
    rule = {"path": "/connect/revocation", "kind": "status", "status": 503, "times": 0}
    xero_sandbox.control("POST", "faults", rule)
    studio = xero_sandbox.organisations()[STUDIO]
    done = disconnect(
        app, studio, warehouse=warehouse, tokens=token_store, http=http, actor=GRACE, now=now()
    )
    assert (done.connections, done.revoked) == (1, 0)
    xero_sandbox.control("DELETE", "faults")

    assert tidy() == Purged(0, 0)
    assert tidy(0.02) == Purged(0, 1)

    assert state_of(warehouse, grant_of(warehouse, KAITO))[0] == "revoked"


def test_nothing_is_purged_while_a_consent_is_under_way(connected, consents, tidy, warehouse):
    warehouse.execute(
        "update xero_ops.grants set state = 'needs_reconnect', lost_at = now() - interval '40 days'"
    )
    consents.walk()

    assert tidy() == Purged(0, 0)


def test_xero_is_asked_nothing_while_there_is_nothing_to_purge(connected, tidy, xero_sandbox):
    xero_sandbox.control("DELETE", "requests")

    assert tidy(0.5) == Purged(0, 0)

    assert xero_sandbox.control("GET", "requests") == []
