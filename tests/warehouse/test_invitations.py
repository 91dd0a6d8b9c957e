"""Invitations: what is stored, who may use a link, and what its list and audit say."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import psycopg
import pytest
from cryptography.fernet import Fernet

from airflow_xero import connect, invitations
from airflow_xero.audit import Actor
from airflow_xero.claiming import MOST_TRIES, claimed
from airflow_xero.errors import ConsentRefusedError, UnavailableError, XeroSetupError
from airflow_xero.invitations import Invitation, listed, look, revoke

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ADA = Actor("ada", "192.0.2.7")


@pytest.fixture
def invite(app, warehouse, keys):
    def make(**wished) -> Invitation:
        return invitations.invite(
            warehouse, app, **{"keys": keys, "actor": ADA, "now": NOW, **wished}
        )

    return make


@pytest.fixture
def see(app, warehouse, keys):
    def read(token: str, **changed):
        asked = {"keys": keys, "now": NOW, **changed}
        return look(warehouse, asked.pop("app", app), token, **asked)

    return read


def token_of(invitation: Invitation) -> str:
    return urlsplit(invitation.url).fragment


def test_a_link_leads_to_the_page_beside_the_callback_and_hides_its_secret(invite, see):
    made = invite(note=" Year-end ", grants=["budgets"], days=3)

    assert made.url.startswith("http://localhost:8080/xero/invitation#")
    assert len(token_of(made)) == 43 + 1 + 22
    assert token_of(made) not in repr(made)
    found = see(token_of(made))
    assert (found.invited_by, found.note, found.state) == ("ada", "Year-end", "open")
    assert found.expires_at == made.expires_at == NOW + timedelta(days=3)
    assert "accounting.invoices.read" in found.scopes
    assert "accounting.reports.trialbalance.read" not in found.scopes


def test_an_invitation_without_a_choice_asks_for_what_the_connection_names(invite, see):
    assert see(token_of(invite())).scopes == []


def test_an_invitation_to_nothing_but_what_is_needed_asks_for_that_alone(invite, see):
    scopes = see(token_of(invite(grants=[]))).scopes

    assert "accounting.invoices.read" in scopes
    assert "accounting.reports.trialbalance.read" not in scopes


@pytest.mark.parametrize(
    "changed",
    [
        {"days": 0},
        {"days": 31},
        {"note": "x" * 201},
        {"keys": []},
        {"keys": ["no key"]},
    ],
)
def test_what_cannot_be_an_invitation_is_refused(invite, warehouse, changed):
    with pytest.raises(XeroSetupError):
        invite(**changed)

    assert listed(warehouse, "xero_default", now=NOW) == []


def test_nobody_is_invited_to_a_custom_connection(app, warehouse, keys):
    custom = replace(app, is_custom=True)

    with pytest.raises(XeroSetupError, match="nobody can be invited"):
        invitations.invite(warehouse, custom, keys=keys, actor=ADA, now=NOW)


def test_a_link_that_we_did_not_sign_is_not_looked_up(invite, see, warehouse):
    secret, _, signature = token_of(invite()).partition(".")
    warehouse.execute("drop table xero_ops.invitations cascade")

    for guess in ("", ".", secret, f"{secret}.", f"{secret}.{signature[:-1]}", f"x.{signature}"):
        with pytest.raises(ConsentRefusedError, match="not valid"):
            see(guess)


def test_a_link_of_another_airflow_connection_is_not_valid(app, invite, see):
    with pytest.raises(ConsentRefusedError, match="not valid"):
        see(token_of(invite()), app=replace(app, conn_id="xero_second"))


def test_a_link_lives_through_a_rotation_of_the_keys(invite, see, keys):
    token, new = token_of(invite()), Fernet.generate_key().decode()

    assert see(token, keys=[new, *keys]).state == "open"
    with pytest.raises(ConsentRefusedError, match="not valid"):
        see(token, keys=[new])


@pytest.mark.parametrize(("days", "is_open"), [(6.99, True), (7, False), (400, False)])
def test_a_link_expires(invite, see, days, is_open):
    token, now = token_of(invite(days=7)), NOW + timedelta(days=days)

    if is_open:
        assert see(token, now=now).state == "open"
    else:
        with pytest.raises(ConsentRefusedError, match="expired on 27 November 2026"):
            see(token, now=now)


def test_a_revoked_link_is_useless_and_revoked_once(invite, see, warehouse):
    made = invite()

    def take_back(conn_id: str = "xero_default", invitation_id: str = made.invitation_id) -> bool:
        return revoke(warehouse, conn_id, invitation_id, actor=Actor("grace"), now=NOW)

    assert not take_back(conn_id="xero_second")
    assert not take_back(invitation_id="'; drop table")
    assert [take_back(), take_back()] == [True, False]
    with pytest.raises(ConsentRefusedError, match="taken back"):
        see(token_of(made))
    with pytest.raises(ConsentRefusedError), claimed(warehouse, made.invitation_id, now=NOW):
        pass
    (one,) = listed(warehouse, "xero_default", now=NOW)
    assert (one.state, one.revoked_by) == ("revoked", "grace")


def test_an_invitation_is_claimed_once_and_names_its_user(invite, see, warehouse):
    made = invite()

    with claimed(warehouse, made.invitation_id, now=NOW) as used_by:
        used_by.append("ava@example.com")
        with (
            pytest.raises(ConsentRefusedError, match="was used"),
            claimed(warehouse, made.invitation_id, now=NOW),
        ):
            pass

    (one,) = listed(warehouse, "xero_default", now=NOW)
    assert (one.state, one.used_by_email) == ("used", "ava@example.com")
    with pytest.raises(ConsentRefusedError, match="used on 20 November 2026"):
        see(token_of(made))


def test_a_claim_is_given_back_for_an_error_of_xero_alone(invite, see, warehouse):
    first, second = invite(), invite()

    with (
        pytest.raises(UnavailableError),
        claimed(warehouse, first.invitation_id, now=NOW),
    ):
        raise UnavailableError("down")
    with pytest.raises(KeyError), claimed(warehouse, second.invitation_id, now=NOW):
        raise KeyError("a fault of ours: nobody knows how far it came")

    assert see(token_of(first)).state == "open"
    with pytest.raises(ConsentRefusedError):
        see(token_of(second))


def test_a_handover_lasts_ten_minutes_and_is_not_listed(app, warehouse, keys, see, invite):
    other = invite()
    own = invitations.hand_over(warehouse, app, keys=keys, actor=ADA, now=NOW)

    assert own.expires_at == NOW + timedelta(minutes=10)
    assert see(token_of(own)).is_own
    assert [
        invitations.is_own_link(token_of(one), conn_id="xero_default", keys=keys)
        for one in (own, other)
    ] == [True, False]
    assert [one.is_own for one in listed(warehouse, "xero_default", now=NOW)] == [False]
    late = NOW + timedelta(minutes=10)
    with pytest.raises(ConsentRefusedError, match="press Connect to Xero again"):
        see(token_of(own), now=late)
    with (
        pytest.raises(ConsentRefusedError, match="press Connect to Xero again"),
        claimed(warehouse, own.invitation_id, now=late),
    ):
        pass
    assert warehouse.execute(
        "select action, outcome from xero_ops.audit_log order by entry_id"
    ).fetchall() == [("invite", "invited"), ("connect", "handed over")]


def test_the_audit_says_who_invited_from_where_and_holds_no_secret(invite, warehouse):
    made = invite(note="for ava")

    (entry,) = warehouse.execute(
        "select actor, host(address), action, outcome, detail from xero_ops.audit_log"
    ).fetchall()
    assert entry == (
        "ada",
        "192.0.2.7",
        "invite",
        "invited",
        {"invitation_id": made.invitation_id, "expires_at": made.expires_at.isoformat()},
    )
    stored = warehouse.execute("select invitations::text from xero_ops.invitations").fetchone()
    assert token_of(made).partition(".")[0] not in str(stored)


@pytest.fixture
def begin(app, warehouse_dsn, keys):
    """Begin a consent by an invitation, over a connection of its own; False where it is refused."""

    def begun(invitation_id: str, now: datetime = NOW) -> bool:
        with psycopg.connect(warehouse_dsn, autocommit=True) as own:
            try:
                connect.begin(
                    app,
                    warehouse=own,
                    keys=keys,
                    started_by="ada (by invitation)",
                    now=now,
                    invitation_id=invitation_id,
                )
            except ConsentRefusedError:
                return False
        return True

    return begun


def test_of_many_tries_at_once_no_more_begin_than_may(invite, begin):
    first, second = invite(), invite()

    with ThreadPoolExecutor(10) as pool:
        begun = [*pool.map(begin, [first.invitation_id] * (MOST_TRIES + 20))]

    assert sum(begun) == MOST_TRIES
    assert begin(second.invitation_id)


def test_a_try_that_never_came_back_counts_for_ten_minutes(invite, begin):
    invitation_id = invite().invitation_id
    assert all(begin(invitation_id) for _ in range(MOST_TRIES))

    assert not begin(invitation_id, NOW + timedelta(minutes=9))
    assert begin(invitation_id, NOW + timedelta(minutes=11))
