"""The tokens of the official SDK, xero-python, through its own OAuth classes."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest
from xero_python.exceptions import HTTPStatusException
from xero_python.identity import IdentityApi

from tests.sandbox.conformance.sdk import SOCKETS, Sdk, connected, redirected
from tests.sandbox.conftest import App
from xero_sandbox.testing import SandboxServer

pytestmark = SOCKETS


@pytest.fixture
def sdk(app: App, tiny: str) -> Iterator[Sdk]:
    with connected(app, app.connect(organisations=[tiny])) as made:
        yield made


def test_connections_are_all_that_the_identity_service_of_the_sdk_reads() -> None:
    methods = inspect.getmembers(IdentityApi, inspect.isfunction)
    reading = {name for name, _ in methods if name.startswith("get_")}
    # The other two look up the SDK's own models and addresses.
    assert reading == {"get_connections", "get_model_finder", "get_resource_url"}


def test_connections_are_listed_and_ended(sdk: Sdk, tiny: str) -> None:
    [connection] = sdk.identity.get_connections()
    assert (connection.tenant_id, connection.tenant_name) == (tiny, "Tiny")
    assert connection.tenant_type == "ORGANISATION"
    [same] = sdk.identity.get_connections(auth_event_id=connection.auth_event_id)
    assert same.id == connection.id
    sdk.identity.delete_connection(connection.id)
    assert sdk.identity.get_connections() == []
    with pytest.raises(HTTPStatusException, match="403"):
        sdk.accounting.get_organisations(tiny)


def test_an_old_access_token_is_refreshed_before_the_call(sdk: Sdk, tiny: str) -> None:
    before = sdk.tokens
    sdk.tokens = {**before, "expires_at": 1.0}
    assert sdk.accounting.get_organisations(tiny).organisations
    assert sdk.tokens["refresh_token"] != before["refresh_token"]
    assert sdk.tokens["access_token"] != before["access_token"]
    assert set(sdk.tokens["scope"]) == set(before["scope"])


def test_a_revoked_refresh_token_is_refused_and_takes_the_connections_along(
    sdk: Sdk, tiny: str
) -> None:
    last = sdk.tokens
    sdk.client.revoke_oauth2_token()
    assert sdk.tokens["access_token"] is None
    sdk.tokens = last
    with pytest.raises(HTTPStatusException, match="403"):
        sdk.accounting.get_organisations(tiny)
    with pytest.raises(HTTPStatusException, match="invalid_grant"):
        sdk.client.refresh_oauth2_token()


def test_an_app_gets_a_token_of_its_own_without_a_person(sdk: Sdk, app: App, tiny: str) -> None:
    app.sandbox.control("POST", "app", {"custom_connection": tiny})
    sdk.client.get_client_credentials_token()
    assert "refresh_token" not in sdk.tokens
    [organisation] = sdk.accounting.get_organisations("").organisations
    assert organisation.name == "Tiny"


def test_the_sdk_runs_at_xeros_own_names_with_nothing_set_but_whom_to_trust(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "tls"
    with SandboxServer(tls=folder) as sandbox, sandbox.browser() as browser:
        app = App(sandbox, browser)
        [first, *_] = sandbox.organisations().values()
        tokens = app.connect(organisations=[first])
        with redirected(app, tokens, folder / "ca.pem") as sdk:
            [connection] = sdk.identity.get_connections()
            assert connection.tenant_id == first
            sdk.client.refresh_oauth2_token()
            [organisation] = sdk.accounting.get_organisations(first).organisations
            assert organisation.name == connection.tenant_name
            # Its last sockets go with it, before the server does.
            del sdk
