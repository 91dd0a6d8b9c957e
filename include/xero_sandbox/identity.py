"""Xero's identity service: tokens, revocation, connections, discovery.

Knows the protocol over HTTP. The rules of codes and tokens are those of `grants.py`, the pages
before them those of `consent.py`. Must not know the books. Follows Xero's "Standard
authorization code flow", "PKCE flow", "Custom connections" and "Managing connections".
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from xero_sandbox.claims import (
    ACCESS_LIFE,
    access_claims,
    custom_claims,
    id_claims,
    new_event_id,
    personal_claims,
)
from xero_sandbox.errors import NotFoundError, OAuthError, UnauthorizedError
from xero_sandbox.faults import Call
from xero_sandbox.forms import first, read_form
from xero_sandbox.gate import claims_of, is_custom, tenants_of
from xero_sandbox.grants import Authorization, Connection, scopes_of
from xero_sandbox.misbehaving import with_faults
from xero_sandbox.scopes import SCOPES_IN_WORDS, SIGN_IN_SCOPES, unknown_scopes
from xero_sandbox.signing import ISSUER
from xero_sandbox.wire import iso_fraction
from xero_sandbox.world import World

Form = dict[str, list[str]]
_Endpoint = Callable[[Request], Awaitable[Response]]


class IdentityDoor:
    """The routes of the identity service and of /connections, over one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """Token, revocation, user info, discovery, keys, connections (either spelling)."""
        discovery = "/.well-known/openid-configuration"
        paths: list[tuple[str, str, _Endpoint]] = [
            ("POST", "/connect/token", self.token),
            ("POST", "/connect/revocation", self.revoke),
            ("GET", "/connect/userinfo", self.userinfo),
            ("GET", discovery, self.discovery),
            ("GET", f"{discovery}/jwks", self.jwks),
            ("GET", "/connections", self.connections),
            ("GET", "/Connections", self.connections),
            ("DELETE", "/connections/{connection_id}", self.disconnect),
            ("DELETE", "/Connections/{connection_id}", self.disconnect),
        ]
        return [
            Route(path, self._faulty(endpoint), methods=[method])
            for method, path, endpoint in paths
        ]

    async def token(self, request: Request) -> Response:
        """Codes, refresh tokens or the app's own credentials for tokens. Raises OAuthError."""
        form = await read_form(request)
        kind = first(form, "grant_type")
        grants = {
            "authorization_code": self._exchange,
            "refresh_token": self._refresh,
            "client_credentials": self._custom,
        }
        if kind not in grants:
            raise OAuthError("unsupported_grant_type")
        has_secret = self._authenticate(request, form)
        return JSONResponse(grants[kind](form, has_secret))

    async def revoke(self, request: Request) -> Response:
        """Kill a refresh token and its user's connections; 200 for an unknown one, too."""
        form = await read_form(request)
        self._authenticate(request, form)
        self._world.grants.revoke(first(form, "token") or "")
        return Response()

    async def userinfo(self, request: Request) -> Response:
        """Who the token's user is."""
        claims = claims_of(self._world, request)
        for user in self._world.grants.users.values():
            if user.user_id == claims.get("xero_userid"):
                who = {"sub": claims["sub"], "xero_userid": user.user_id}
                return JSONResponse(who | personal_claims(user, scopes_of(claims)))
        raise UnauthorizedError

    async def connections(self, request: Request) -> Response:
        """The token's connections, as a bare array; of one pass of consent by `authEventId`."""
        claims = claims_of(self._world, request)
        event = request.query_params.get("authEventId")
        found = self._connections_of(claims)
        return JSONResponse([self._spell(c) for c in found if event in (None, c.auth_event_id)])

    async def disconnect(self, request: Request) -> Response:
        """End one connection: 204, or 404 when the token's user has no such connection."""
        claims = claims_of(self._world, request)
        email = self._email_of(claims)
        if email is None:
            raise NotFoundError
        self._world.grants.disconnect(request.path_params["connection_id"], email=email)
        return Response(status_code=204)

    async def jwks(self, request: Request) -> Response:
        """The key that signs the tokens."""
        del request
        return JSONResponse(self._world.signer.jwks())

    async def discovery(self, request: Request) -> Response:
        """Where everything is. The issuer is the real one's, as in the tokens."""
        origin = str(request.base_url).rstrip("/")
        return JSONResponse(
            {
                "issuer": ISSUER,
                "jwks_uri": f"{origin}/.well-known/openid-configuration/jwks",
                "authorization_endpoint": f"{origin}/identity/connect/authorize",
                "token_endpoint": f"{origin}/connect/token",
                "userinfo_endpoint": f"{origin}/connect/userinfo",
                "revocation_endpoint": f"{origin}/connect/revocation",
                "scopes_supported": sorted(SCOPES_IN_WORDS),
                "claims_supported": ["sub", "name", "family_name", "given_name", "email"],
                "grant_types_supported": [
                    "authorization_code",
                    "client_credentials",
                    "refresh_token",
                ],
                "response_types_supported": ["code"],
                "response_modes_supported": ["query"],
                "token_endpoint_auth_methods_supported": [
                    "client_secret_basic",
                    "client_secret_post",
                ],
                "id_token_signing_alg_values_supported": ["RS256"],
                "subject_types_supported": ["public"],
                "code_challenge_methods_supported": ["S256"],
            }
        )

    def _faulty(self, endpoint: _Endpoint) -> _Endpoint:
        async def guarded(request: Request) -> Response:
            form = await read_form(request) if request.method == "POST" else {}
            call = Call(
                request.method,
                request.url.path,
                request.query_params,
                is_refresh=first(form, "grant_type") == "refresh_token",
            )
            return await with_faults(
                self._world, request, call=call, handler=lambda: endpoint(request)
            )

        return guarded

    def _authenticate(self, request: Request, form: Form) -> bool:
        """Whether the app proved itself with its secret; False for one that has none."""
        given_id, given_secret = _credentials(request, form)
        app = self._world.app
        if given_id != app.client_id:
            raise OAuthError("invalid_client")
        if given_secret is None:
            return False
        if not hmac.compare_digest(given_secret.encode(), app.client_secret.encode()):
            raise OAuthError("invalid_client")
        return True

    def _exchange(self, form: Form, has_secret: bool) -> dict[str, object]:
        authorization, refresh_token = self._world.grants.exchange(
            first(form, "code") or "",
            redirect_uri=first(form, "redirect_uri") or "",
            verifier=first(form, "code_verifier"),
            has_secret=has_secret,
        )
        return self._answer(authorization, refresh_token)

    def _refresh(self, form: Form, has_secret: bool) -> dict[str, object]:
        authorization, refresh_token = self._world.grants.refresh(
            first(form, "refresh_token") or "", has_secret=has_secret
        )
        return self._answer(authorization, refresh_token)

    def _custom(self, form: Form, has_secret: bool) -> dict[str, object]:
        if not has_secret:
            raise OAuthError("invalid_client")
        scopes = (first(form, "scope") or "").split()
        if not scopes or unknown_scopes(scopes) or not set(scopes).isdisjoint(SIGN_IN_SCOPES):
            text = "Client credentials scope validation failed"
            raise OAuthError("invalid_scope", text)
        event = new_event_id()
        self._world.grants.auth_events.add(event)
        claims = custom_claims(
            scopes,
            client_id=self._world.app.client_id,
            auth_event_id=event,
            now=self._world.identity.now(),
        )
        return _bearer(self._world.signer.sign(claims), scopes)

    def _answer(self, authorization: Authorization, refresh_token: str) -> dict[str, object]:
        now, client_id = self._world.identity.now(), self._world.app.client_id
        user = self._world.grants.users.get(authorization.email)
        if user is None:
            raise OAuthError("invalid_grant")
        claims = access_claims(user, authorization, client_id=client_id, now=now)
        access_token = self._world.signer.sign(claims)
        answer = _bearer(access_token, authorization.scopes)
        if "offline_access" in authorization.scopes:
            answer["refresh_token"] = refresh_token
        if "openid" in authorization.scopes:
            who = id_claims(
                user, authorization, client_id=client_id, access_token=access_token, now=now
            )
            answer = {"id_token": self._world.signer.sign(who), **answer}
        return answer

    def _email_of(self, claims: dict[str, Any]) -> str | None:
        users = self._world.grants.users.values()
        return next((u.email for u in users if u.user_id == claims.get("xero_userid")), None)

    def _connections_of(self, claims: dict[str, Any]) -> list[Connection]:
        reachable = tenants_of(self._world, claims)
        if is_custom(claims):
            now, event = self._world.identity.now(), str(claims["authentication_event_id"])
            return [Connection(key, event, "", key, now, now) for key in reachable]
        live = self._world.grants.live(self._email_of(claims) or "")
        return [connection for connection in live if connection.tenant_id in reachable]

    def _spell(self, connection: Connection) -> dict[str, str]:
        return {
            "id": connection.connection_id,
            "authEventId": connection.auth_event_id,
            "tenantId": connection.tenant_id,
            "tenantType": "ORGANISATION",
            "tenantName": self._world.plans[connection.tenant_id].name,
            "createdDateUtc": iso_fraction(connection.created_at),
            "updatedDateUtc": iso_fraction(connection.updated_at),
        }


def _bearer(access_token: str, scopes: Any) -> dict[str, object]:
    return {
        "access_token": access_token,
        "expires_in": int(ACCESS_LIFE.total_seconds()),
        "token_type": "Bearer",
        "scope": " ".join(scopes),
    }


def _credentials(request: Request, form: Form) -> tuple[str | None, str | None]:
    """Client id and secret, from the Authorization header or from the body."""
    kind, _, text = request.headers.get("Authorization", "").partition(" ")
    if kind.casefold() != "basic":
        return first(form, "client_id"), first(form, "client_secret")
    try:
        decoded = base64.b64decode(text.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise OAuthError("invalid_client") from error
    client_id, _, secret = decoded.partition(":")
    return client_id, secret
