"""OAuth 2.0 with Xero: the consent address and the token endpoint.

Knows Xero's identity protocol over HTTP and stores nothing. Must not know Postgres, Airflow or
who keeps the tokens. Never retries: whoever refreshes holds a lock and decides.
Source: https://developer.xero.com/documentation/guides/oauth2/auth-flow
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from ssl import SSLContext
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx

from airflow_xero import __version__
from airflow_xero.addresses import require_private
from airflow_xero.answers import error_of
from airflow_xero.errors import (
    ConsentLostError,
    ConsentRefusedError,
    UnavailableError,
    UnexpectedPayloadError,
    XeroError,
    XeroSetupError,
)
from airflow_xero.scope_choices import SIGN_IN, why_refused

_TIMEOUT = httpx.Timeout(30.0, connect=10.0, read=90.0)


@dataclass(frozen=True)
class XeroApp:
    """The app registered with Xero, as a person typed it into the Airflow connection.

    A Custom Connection (`is_custom`) opens one organisation with the app's own credentials, and
    no user consents. `tier` is one of `tiers.CONNECTIONS`, or empty where nobody told. Raises
    XeroSetupError for a base URL that is neither https nor on loopback.
    """

    conn_id: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str
    scopes: tuple[str, ...]
    api_url: str
    identity_url: str
    login_url: str
    is_custom: bool = False
    tier: str = ""

    def __post_init__(self) -> None:
        for name in ("api_url", "identity_url", "login_url"):
            url = getattr(self, name).rstrip("/")
            require_private(url, f"{name} of the Airflow connection {self.conn_id}")
            object.__setattr__(self, name, url)
        require_private(self.redirect_uri, f"redirect_uri of the Airflow connection {self.conn_id}")


@dataclass(frozen=True)
class TokenSet:
    """What the token endpoint answers; `expires_at` (aware UTC) is that of the access token.

    A Custom Connection has no refresh token: it is empty.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    id_token: str | None = field(repr=False)
    expires_at: datetime
    scopes: tuple[str, ...]


def new_http() -> httpx.Client:
    """A client with explicit time-outs, no redirects and our user agent; the caller closes it."""
    return httpx.Client(
        verify=_authorities(),
        timeout=_TIMEOUT,
        follow_redirects=False,
        headers={"User-Agent": f"airflow-provider-xero/{__version__}"},
    )


@cache
def _authorities() -> SSLContext:
    """Whom to trust. Read once a process: that takes longer than several calls."""
    return httpx.create_ssl_context()


def code_challenge_of(code_verifier: str) -> str:
    """The S256 challenge of a PKCE verifier (RFC 7636)."""
    digest = hashlib.sha256(code_verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def authorize_url(
    app: XeroApp, *, state: str, code_challenge: str, nonce: str | None = None
) -> str:
    """The address of Xero's consent page; `code_challenge` is S256 (see `code_challenge_of`).

    Xero repeats the `nonce` in the id_token.
    """
    query = {
        "response_type": "code",
        "client_id": app.client_id,
        "redirect_uri": app.redirect_uri,
        "scope": " ".join(app.scopes),
        "state": state,
        "code_challenge": code_challenge,
        "code_challenge_method": "S256",
        **({"nonce": nonce} if nonce else {}),
    }
    return f"{app.login_url}/identity/connect/authorize?{urlencode(query)}"


def exchange_code(
    app: XeroApp, code: str, *, code_verifier: str, http: httpx.Client, now: datetime
) -> TokenSet:
    """Exchange the single-use code of a consent (valid five minutes) for tokens.

    Raises ConsentRefusedError (code used or expired), XeroSetupError (wrong client id or secret),
    UnavailableError, UnexpectedPayloadError.
    """
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": app.redirect_uri,
        "code_verifier": code_verifier,
    }
    refused = ConsentRefusedError(
        "Xero refuses this consent: its code was used or is older than five minutes; press "
        "Connect to Xero again, or open your invitation link again"
    )
    return _tokens(app, form, http=http, now=now, invalid_grant=refused)


def refresh(app: XeroApp, refresh_token: str, *, http: httpx.Client, now: datetime) -> TokenSet:
    """Exchange a refresh token for new tokens; Xero rotates it, the old one works 30 minutes.

    Raises ConsentLostError (used, expired or revoked), XeroSetupError (wrong client id or
    secret), UnavailableError, UnexpectedPayloadError.
    """
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    lost = ConsentLostError(
        "Xero refuses to refresh this user's consent (revoked, or unused for 60 days): the user "
        "must press Connect to Xero again"
    )
    return _tokens(app, form, http=http, now=now, invalid_grant=lost)


def client_credentials(app: XeroApp, *, http: httpx.Client, now: datetime) -> TokenSet:
    """A token of a Custom Connection, by the app's own credentials; there is nothing to refresh.

    Raises XeroSetupError (wrong client id or secret, a scope it may not have), UnavailableError,
    UnexpectedPayloadError.
    """
    scopes = [scope for scope in app.scopes if scope not in SIGN_IN]
    form = {"grant_type": "client_credentials", "scope": " ".join(scopes)}
    refused = XeroSetupError(
        "Xero gives no token for this Custom Connection: at developer.xero.com, My Apps, its "
        "organisation must have been connected"
    )
    return _tokens(app, form, http=http, now=now, invalid_grant=refused)


def revoke(app: XeroApp, refresh_token: str, *, http: httpx.Client) -> None:
    """Revoke the refresh token, which also removes all of that user's connections to the app.

    Raises XeroSetupError (wrong client id or secret), UnavailableError.
    """
    response = _post(app, "/connect/revocation", {"token": refresh_token}, http=http)
    if response.status_code != httpx.codes.OK:
        raise _token_error(app, response, invalid_grant=None)


def unreachable(url: str, error: Exception) -> UnavailableError:
    """The error for a request that got no answer; names the host, and no more of the request."""
    host = urlsplit(url).netloc
    return UnavailableError(
        f"{host} could not be reached ({type(error).__name__}): check the network, the proxy and "
        "the base URLs of the Airflow connection"
    )


def answer_of(response: httpx.Response) -> Any:
    """The JSON of Xero's answer; None where it is none."""
    try:
        return response.json()
    except ValueError:
        return None


def unexpected(response: httpx.Response, what: str) -> UnexpectedPayloadError:
    """The error for an answer that is not what Xero documents."""
    return UnexpectedPayloadError(
        f"Xero's answer is not {what} as documented; please report it",
        status=response.status_code,
        correlation_id=response.headers.get("Xero-Correlation-Id"),
    )


def _tokens(
    app: XeroApp,
    form: Mapping[str, str],
    *,
    http: httpx.Client,
    now: datetime,
    invalid_grant: XeroError,
) -> TokenSet:
    response = _post(app, "/connect/token", form, http=http)
    if response.status_code != httpx.codes.OK:
        raise _token_error(app, response, invalid_grant=invalid_grant)
    answer = answer_of(response)
    try:
        return TokenSet(
            access_token=str(answer["access_token"]),
            refresh_token="" if app.is_custom else str(answer["refresh_token"]),
            id_token=answer.get("id_token"),
            expires_at=now + timedelta(seconds=int(answer["expires_in"])),
            scopes=tuple(str(answer.get("scope") or " ".join(app.scopes)).split()),
        )
    except KeyError as missing:
        if missing.args == ("refresh_token",):
            raise XeroSetupError(
                "Xero gave no refresh token: add offline_access to the scopes of the Airflow "
                f"connection {app.conn_id} and press Connect to Xero again"
            ) from None
        raise unexpected(response, "the token") from None
    except (TypeError, ValueError, AttributeError):
        raise unexpected(response, "the token") from None


def _post(
    app: XeroApp, path: str, form: Mapping[str, str], *, http: httpx.Client
) -> httpx.Response:
    try:
        return http.post(
            f"{app.identity_url}{path}",
            data=dict(form),
            auth=httpx.BasicAuth(app.client_id, app.client_secret),
            headers={"Accept": "application/json"},
        )
    except httpx.RequestError as error:
        # The cause would carry the request, whose form holds the refresh token.
        raise unreachable(app.identity_url, error) from None


def _token_error(
    app: XeroApp, response: httpx.Response, *, invalid_grant: XeroError | None
) -> XeroError:
    answer = answer_of(response)
    problem = answer.get("error") if isinstance(answer, dict) else None
    if problem == "invalid_grant" and invalid_grant is not None:
        return invalid_grant
    if problem in {"invalid_client", "unauthorized_client"}:
        return XeroSetupError(
            "Xero does not accept the app's credentials: correct client id and client secret of "
            f"the Airflow connection {app.conn_id}",
            status=response.status_code,
        )
    if problem == "invalid_scope":
        return XeroSetupError(
            "Xero does not give this app one of the scopes: correct the scopes of the Airflow "
            f"connection {app.conn_id} ({why_refused(app.scopes)})",
            status=response.status_code,
        )
    return error_of(response)
