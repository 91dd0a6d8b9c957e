"""A client made with the official SDK, xero-python, unmodified.

Knows how the SDK is set up, and undoes what it leaves behind. Must not know what is read.
"""

from __future__ import annotations

import gc
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from xero_python.accounting import AccountingApi
from xero_python.api_client import ApiClient, oauth2
from xero_python.api_client.configuration import Configuration
from xero_python.api_client.oauth2 import OAuth2Token
from xero_python.identity import IdentityApi

from tests.sandbox.conftest import App
from xero_sandbox.hosts import REAL_HOSTS

# The SDK never closes the sockets of its clients; it makes another one for every token request.
SOCKETS = pytest.mark.filterwarnings(
    "ignore:Exception ignored in.*socket:pytest.PytestUnraisableExceptionWarning"
)


class Sdk:
    """The SDK's client of a connected app, and the tokens it keeps.

    `url` of the sandbox, or None for Xero's own addresses, which `authority` then vouches for.
    """

    def __init__(
        self, app: App, tokens: dict[str, Any], *, url: str | None, authority: Path | None = None
    ) -> None:
        # In the SDK's own words: it counts the seconds only of tokens that it fetched itself.
        expires_at = time.time() + tokens["expires_in"]
        self.tokens = {**tokens, "scope": tokens["scope"].split(), "expires_at": expires_at}
        # The SDK's Configuration is one for the whole process: a fresh one needs a fresh class.
        Configuration._default = None
        client_id, client_secret = app.credentials
        token = OAuth2Token(client_id=client_id, client_secret=client_secret)
        configuration = Configuration(oauth2_token=token)
        configuration.ssl_ca_cert = None if authority is None else str(authority)
        self.client = ApiClient(configuration, pool_threads=1)
        self.client.oauth2_token_getter(lambda: self.tokens)
        self.client.oauth2_token_saver(self.keep)
        self.identity = IdentityApi(self.client, base_url=url)
        self.accounting = AccountingApi(self.client, base_url=url and f"{url}/api.xro/2.0")

    def keep(self, tokens: dict[str, Any]) -> None:
        self.tokens = tokens

    def close(self) -> None:
        """Let go of its sockets."""
        self.client.rest_client.pool_manager.clear()


@contextmanager
def connected(app: App, tokens: dict[str, Any]) -> Iterator[Sdk]:
    """The SDK, sent to the app's sandbox; only its addresses are set, as it provides for."""
    url = app.sandbox.url
    paths = {
        "client_credentials_token_url": "token",
        "refresh_token_url": "token",
        "revoke_token_url": "revocation",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, path in paths.items():
            patch.setattr(oauth2.TokenApi, name, f"{url}/connect/{path}")
        made = Sdk(app, tokens, url=url)
        yield made
        made.close()
        # Collected here, where the warning is known, and not within somebody else's test.
        del made
        gc.collect()


@contextmanager
def redirected(app: App, tokens: dict[str, Any], authority: Path) -> Iterator[Sdk]:
    """The SDK with nothing set but whom to trust; Xero's names lead to the app's sandbox."""
    look_up = socket.getaddrinfo

    def looked_up(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        is_xero = host in REAL_HOSTS
        place = ("127.0.0.1", app.sandbox.port) if is_xero else (host, port)
        return look_up(*place, *rest, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", looked_up)
        made = Sdk(app, tokens, url=None, authority=authority)
        yield made
        made.close()
        del made
        gc.collect()
