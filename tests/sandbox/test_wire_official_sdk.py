"""The official SDK, xero-python, unmodified, against the sandbox."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from xero_python.accounting import AccountingApi
from xero_python.api_client import ApiClient, oauth2
from xero_python.api_client.configuration import Configuration
from xero_python.api_client.oauth2 import OAuth2Token
from xero_python.exceptions import HTTPStatusException
from xero_python.identity import IdentityApi

from tests.sandbox.conftest import App

# The SDK never closes the sockets of its clients; it makes another one for every token request.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in.*socket:pytest.PytestUnraisableExceptionWarning"
)


class Sdk:
    """The SDK's client of a connected app, and the tokens it keeps."""

    def __init__(self, app: App, tokens: dict[str, Any]) -> None:
        self.tokens = {**tokens, "scope": tokens["scope"].split()}
        # The SDK's Configuration is one for the whole process: a fresh one needs a fresh class.
        Configuration._default = None
        token = OAuth2Token(
            client_id=app.sandbox.client_id, client_secret=app.sandbox.client_secret
        )
        self.client = ApiClient(Configuration(oauth2_token=token), pool_threads=1)
        self.client.oauth2_token_getter(lambda: self.tokens)
        self.client.oauth2_token_saver(self.keep)
        url = app.sandbox.url
        self.identity = IdentityApi(self.client, base_url=url)
        self.accounting = AccountingApi(self.client, base_url=f"{url}/api.xro/2.0")

    def keep(self, tokens: dict[str, Any]) -> None:
        self.tokens = tokens


@pytest.fixture
def sdk(app: App, kauri: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sdk]:
    api = oauth2.TokenApi
    monkeypatch.setattr(api, "refresh_token_url", f"{app.sandbox.url}/connect/token")
    monkeypatch.setattr(api, "revoke_token_url", f"{app.sandbox.url}/connect/revocation")
    app.sandbox.control("POST", "clocks", {"business": "2026-11-20T12:00:00Z"})
    made = Sdk(app, app.connect(organisations=[kauri]))
    yield made
    made.client.rest_client.pool_manager.clear()
    # Collected here, where the warning is known, and not within somebody else's test.
    del made
    gc.collect()


def test_the_sdk_lists_connections(sdk: Sdk, kauri: str):
    (connection,) = sdk.identity.get_connections()
    assert (connection.tenant_id, connection.tenant_name) == (kauri, "Kauri Coffee Roasters")
    assert connection.tenant_type == "ORGANISATION"
    assert abs((datetime.now(UTC) - connection.created_date_utc).total_seconds()) < 120


def test_the_sdk_reads_everything_that_is_served(sdk: Sdk, kauri: str):
    api = sdk.accounting
    (organisation,) = api.get_organisations(kauri).organisations
    assert organisation.name == "Kauri Coffee Roasters"
    assert organisation.organisation_id == kauri
    assert api.get_currencies(kauri).currencies[0].code.value == "NZD"
    assert {rate.status for rate in api.get_tax_rates(kauri).tax_rates} == {"ACTIVE"}
    assert "200" in {account.code for account in api.get_accounts(kauri).accounts}
    assert api.get_contacts(kauri, page=1, include_archived=True).contacts
    assert api.get_credit_notes(kauri, page=1).credit_notes
    assert api.get_payments(kauri, page=1, page_size=10).payments[0].amount > 0
    assert api.get_bank_transactions(kauri, page=1).bank_transactions[0].line_items
    (report,) = api.get_report_trial_balance(kauri, date="2026-11-19").reports
    assert report.report_name == "Trial Balance"


def test_the_sdk_pages_through_invoices_without_losing_or_repeating_one(sdk: Sdk, kauri: str):
    first = sdk.accounting.get_invoices(kauri, page=1, page_size=500)
    pages = [first] + [
        sdk.accounting.get_invoices(kauri, page=number, page_size=500)
        for number in range(2, first.pagination.page_count + 1)
    ]
    seen = [invoice.invoice_id for page in pages for invoice in page.invoices]
    assert len(seen) == len(set(seen)) == first.pagination.item_count
    assert first.invoices[0].line_items


def test_the_sdk_reads_only_what_changed(sdk: Sdk, kauri: str):
    since = datetime(2026, 11, 20, 11, 59, tzinfo=UTC)
    changed = sdk.accounting.get_invoices(kauri, if_modified_since=since, page=1).invoices
    assert all(invoice.updated_date_utc >= since for invoice in changed)
    future = datetime(2027, 1, 1, tzinfo=UTC)
    assert sdk.accounting.get_invoices(kauri, if_modified_since=future, page=1).invoices == []


def test_the_sdk_refreshes_its_token_and_goes_on(sdk: Sdk, kauri: str):
    before = sdk.tokens["refresh_token"]
    sdk.tokens = {**sdk.tokens, "expires_at": 1.0}
    sdk.client.refresh_oauth2_token()
    assert sdk.tokens["refresh_token"] != before
    assert sdk.accounting.get_organisations(kauri).organisations
    last = sdk.tokens
    sdk.client.revoke_oauth2_token()
    sdk.tokens = last
    with pytest.raises(HTTPStatusException, match="403"):
        sdk.accounting.get_organisations(kauri)
