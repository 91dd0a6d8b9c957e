"""What the Test button of the connection form says, and where the credentials may come from."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from airflow_xero.hook import XeroHook

pytestmark = pytest.mark.usefixtures("airflow_database")


@pytest.fixture
def form(xero, set_connection):
    """Fill in the form for the sandbox's app; press the button."""

    def press(**fields: Any) -> tuple[bool, str]:
        urls = dict.fromkeys(("api_url", "identity_url", "login_url"), xero.url)
        set_connection(
            "xero_default",
            conn_type="xero",
            login=xero.client_id,
            password=xero.client_secret,
            extra={**urls, **fields},
        )
        with XeroHook() as hook:
            return hook.test_connection()

    return press


def test_a_redirect_uri_that_is_not_registered_is_named_letter_by_letter(form):
    is_well, said = form(redirect_uri="https://airflow.example.com/xero/callback/")

    assert not is_well
    assert "https://airflow.example.com/xero/callback/" in said
    assert "letter by letter" in said


@pytest.mark.parametrize(
    ("era", "scopes", "word"),
    [
        ("granular", "broad", "granular"),
        ("broad", "granular", "broad"),
        ("granular", "granular accounting.journals.read", "accounting.journals.read"),
    ],
)
def test_a_scope_that_the_app_may_not_have_is_explained_by_its_era(era, scopes, word, form, xero):
    # Journals are for the highest tiers.
    xero.control("POST", "app", {"era": era, "tier": "core"})

    is_well, said = form(scopes=scopes)

    assert not is_well
    assert "one of the scopes" in said
    assert word in said


@pytest.mark.parametrize("minutes", [-11, 11])
def test_a_clock_that_is_wrong_is_named_with_its_minutes(minutes, form, monkeypatch):
    wrong = datetime.now(UTC) + timedelta(minutes=minutes, seconds=minutes)
    monkeypatch.setattr("airflow_xero.hook._now", lambda: wrong)

    is_well, said = form()

    assert not is_well
    assert f"clock is 11 minutes {'ahead of' if minutes > 0 else 'behind'} Xero's" in said


def test_the_login_host_that_cannot_be_reached_is_named(form):
    is_well, said = form(login_url="http://localhost:9")

    assert not is_well
    assert "'Login base URL' http://localhost:9" in said


def test_a_whole_connection_may_come_from_a_secrets_backend(xero, tmp_path, monkeypatch):
    """Client id and secret are then in no database of ours."""
    file = tmp_path / "connections.json"
    urls = dict.fromkeys(("api_url", "identity_url", "login_url"), xero.url)
    described = {
        "conn_type": "xero",
        "login": xero.client_id,
        "password": xero.client_secret,
        "extra": urls,
    }
    file.write_text(json.dumps({"xero_vaulted": described}), encoding="utf-8")
    monkeypatch.setenv(
        "AIRFLOW__SECRETS__BACKEND", "airflow.secrets.local_filesystem.LocalFilesystemBackend"
    )
    kwargs = {"connections_file_path": str(file)}
    monkeypatch.setenv("AIRFLOW__SECRETS__BACKEND_KWARGS", json.dumps(kwargs))

    with XeroHook("xero_vaulted") as hook:
        app = hook.app()

    assert (app.client_id, app.client_secret) == (xero.client_id, xero.client_secret)
    assert xero.client_secret not in repr(app)
