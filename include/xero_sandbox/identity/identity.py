"""Xero's identity service: tokens, revocation, connections, discovery.

Knows the protocol over HTTP. The rules of codes and tokens are those of `grants.py`, the pages
before them those of `consent.py`. Must not know the books. Follows Xero's "Standard
authorization code flow", "PKCE flow", "Custom connections" and "Managing connections".
"""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import Any
from urllib.parse import unquote_plus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from xero_sandbox.control.misbehaving import Endpoint, open_to_faults
from xero_sandbox.errors import NotFoundError, OAuthError, UnauthorizedError
from xero_sandbox.hosts import IDENTITY, LOGIN, origin_of
from xero_sandbox.identity.forms import first, read_form
from xero_sandbox.identity.permits import Authorization, Connection
from xero_sandbox.identity.reach import claims_of, is_for_app, is_personal, tenants_of
from xero_sandbox.identity.scopes import APP_SCOPES, SCOPES_IN_WORDS, custom_scopes
from xero_sandbox.identity.signing import ISSUER
from xero_sandbox.identity.token_claims import (
    ACCESS_LIFE,
    access_claims,
    app_claims,
    id_claims,
    new_event_id,
    personal_claims,
    scopes_of,
)
from xero_sandbox.wire.format import iso_fraction
from xero_sandbox.world import World

Form = dict[str, list[str]]


class IdentityDoor:
    """The routes of the identity service and of /connections, over one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """Token, revocation, user info, discovery, keys, connections (either spelling)."""
        discovery = "/.well-known/openid-configuration"
        paths: list[tuple[str, str, Endpoint]] = [
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
            Route(path, open_to_faults(self._world, endpoint), methods=[method])
            for method, path, endpoint in paths
        ]

    async def token(self, request: Request) -> Response:
        """Codes, refresh tokens or the app's own credentials for tokens. Raises OAuthError."""
        form = await read_form(request)
        kind = first(form, "grant_type")
        grants = {
            "authorization_code": self._exchange,
            "refresh_token": self._refresh,
            "client_credentials": self._own,
        }
        if kind not in grants:
            raise OAuthError("unsupported_grant_type")
        has_secret = self._authenticate(request, form)
        return _Json(grants[kind](form, has_secret))

    async def revoke(self, request: Request) -> Response:
        """Kill a refresh token and its user's connections; 200 for an unknown one, too."""
        form = await read_form(request)
        self._authenticate(request, form)
        self._world.grants.revoke(first(form, "token") or "")
        return Response()

    async def userinfo(self, request: Request) -> Response:
        """Who the token's user is."""
        claims = claims_of(self._world, request)
        user = self._world.grants.user(claims.get("xero_userid"))
        if user is None:
            raise UnauthorizedError
        who = {"sub": claims["sub"], "xero_userid": user.user_id}
        return _Json(who | personal_claims(user, scopes_of(claims)))

    async def connections(self, request: Request) -> Response:
        """The token's connections, as a bare array; of one pass of consent by `authEventId`."""
        claims = claims_of(self._world, request)
        event = request.query_params.get("authEventId")
        found = self._connections_of(claims)
        return JSONResponse([self._spell(c) for c in found if event in (None, c.auth_event_id)])

    async def disconnect(self, request: Request) -> Response:
        """End one connection: 204, or 404 when the token has no such connection."""
        claims = claims_of(self._world, request)
        user = self._world.grants.user(claims.get("xero_userid"))
        if user is None and not is_for_app(claims):
            raise NotFoundError
        email = None if user is None else user.email
        self._world.grants.disconnect(request.path_params["connection_id"], email=email)
        return Response(status_code=204)

    async def jwks(self, request: Request) -> Response:
        """The key that signs the tokens."""
        del request
        return _Json(self._world.signer.jwks())

    async def discovery(self, request: Request) -> Response:
        """Where everything is. The issuer is the real one's, as in the tokens."""
        origin = origin_of(request, IDENTITY)
        return _Json(
            {
                "issuer": ISSUER,
                "jwks_uri": f"{origin}/.well-known/openid-configuration/jwks",
                "authorization_endpoint": f"{origin_of(request, LOGIN)}/identity/connect/authorize",
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

    def _authenticate(self, request: Request, form: Form) -> bool:
        """Whether the app proved itself with its secret; False for one that has none."""
        given_id, given_secret = _credentials(request, form)
        app = self._world.app
        # The standard encodes both before it puts them into Basic; many clients do not.
        if app.client_id not in (given_id, unquote_plus(given_id or "")):
            raise OAuthError("invalid_client")
        if given_secret is None:
            return False
        if not any(
            hmac.compare_digest(secret.encode(), app.client_secret.encode())
            for secret in (given_secret, unquote_plus(given_secret))
        ):
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

    def _own(self, form: Form, has_secret: bool) -> dict[str, object]:
        """A token of the app itself: of its Custom Connection, or (`app.…`) of no organisation."""
        if not has_secret:
            raise OAuthError("invalid_client")
        world = self._world
        custom = custom_scopes(world.app.era, is_premium=world.tier.is_premium)
        # Who names no scope gets every one that a Custom Connection may have.
        scopes = (first(form, "scope") or " ".join(custom)).split()
        if not (set(scopes) <= set(custom) or set(scopes) <= set(APP_SCOPES)):
            text = "Client credentials scope validation failed"
            raise OAuthError("invalid_scope", text)
        event = new_event_id()
        world.grants.auth_events.add(event)
        claims = app_claims(
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

    def _connections_of(self, claims: dict[str, Any]) -> list[Connection]:
        world = self._world
        if is_for_app(claims):
            return [each for each in world.grants.live() if each.tenant_id in world.plans]
        reachable = dict.fromkeys(tenants_of(world, claims))
        if not is_personal(claims):
            now, event = world.identity.now(), str(claims["authentication_event_id"])
            return [Connection(key, event, "", key, now, now) for key in reachable]
        user = world.grants.user(claims["xero_userid"])
        live = [] if user is None else world.grants.live(user.email)
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


class _Json(JSONResponse):
    """JSON as the identity service labels it."""

    media_type = "application/json; charset=UTF-8"


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
