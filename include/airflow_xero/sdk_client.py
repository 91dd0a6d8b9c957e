"""xero-python's ApiClient, made safe for Dag authors.

Knows the habits of xero-python 15 and turns the dangerous ones off: its configuration is a
singleton whose token is shared by every client of the process; nothing has a time-out; urllib3
sends a lost PUT again, which at Xero creates a second document, and sleeps for hours on a used
up limit. Must not know Airflow, or where tokens are kept. The library itself reads with
`client.py`, not with this.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import urllib3
from xero_python.api_client import ApiClient, Configuration

from airflow_xero.errors import NotConnectedError, XeroSetupError

XERO_API_URL = "https://api.xero.com"

_CONNECT_SECONDS = 10
_READ_SECONDS = 90


class SafeApiClient(ApiClient):  # type: ignore[misc]  # xero-python has no types
    """An ApiClient of one Airflow connection; safe to share between threads.

    `access_token` gives a live access token for a tenant id and is asked before every request:
    the request's own `xero-tenant-id` header decides, so no token is ever kept here, and a
    request can never carry that of another user. Requests go to `api_url`, whatever host
    xero-python has built in, and to no other host.
    """

    def __init__(self, api_url: str, *, access_token: Callable[[str], str]) -> None:
        # type.__call__ goes around the metaclass, which would hand out the process's first one.
        super().__init__(configuration=type.__call__(Configuration))
        self._api_url = api_url
        self._access_token = access_token
        pools = self.rest_client.pool_manager.connection_pool_kw
        pools["retries"] = urllib3.Retry(
            0, redirect=0, respect_retry_after_header=False, raise_on_status=False
        )

    def update_params_for_auth(
        self,
        headers: Any,
        querys: Any,  # noqa: ARG002  # xero-python's signature
        auth_settings: Any,
    ) -> None:
        """Sign a request with the token of the organisation that it is for.

        Raises NotConnectedError for a request without an organisation.
        """
        if not auth_settings:
            return
        tenant_id = headers.get("xero-tenant-id")
        if not tenant_id:
            raise NotConnectedError(
                "This xero-python call names no organisation; pass the tenant id"
            )
        headers["Authorization"] = f"Bearer {self._access_token(tenant_id)}"

    def request(self, method: str, url: str, **options: Any) -> Any:
        """Send one request, once, to the connection's own API host, with time-outs.

        Raises XeroSetupError for a foreign host, and what xero-python raises.
        """
        options["_request_timeout"] = _time_outs(options.get("_request_timeout"))
        return super().request(method, self._own_address(url), **options)

    def _own_address(self, url: str) -> str:
        for known in (self._api_url, XERO_API_URL):
            if url.startswith(f"{known}/"):
                return self._api_url + url.removeprefix(known)
        raise XeroSetupError(
            f"This connection calls {self._api_url} only, not {urlsplit(url).netloc}"
        )


def _time_outs(wanted: Any) -> tuple[float, float]:
    """Connect and read time-outs in seconds; xero-python silently ignores a float."""
    if isinstance(wanted, tuple):
        return wanted
    return (wanted, wanted) if wanted else (_CONNECT_SECONDS, _READ_SECONDS)
