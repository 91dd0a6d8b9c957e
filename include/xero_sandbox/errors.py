"""Every refusal of the sandbox, with the status, headers and body that Xero sends.

The only home of Xero's error bodies. Knows nothing of requests; raise one anywhere and the app
answers with it. Bodies follow recordings of the real Xero where one exists: a missing record is
plain text, an unavailable service too, a missing scope is a 401.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

_JSON = "application/json; charset=utf-8"
_TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class ErrorAnswer:
    """What goes over the wire for one error."""

    status: int
    body: bytes
    content_type: str
    headers: Mapping[str, str]


class XeroSandboxError(Exception):
    """One of Xero's refusals. Subclasses say status, headers and body."""

    status = 500

    def answer(self, correlation_id: str) -> ErrorAnswer:
        """Status, headers and body of this refusal; `Instance` is the correlation id."""
        body = self._body()
        if isinstance(body, str):
            return ErrorAnswer(self.status, body.encode(), _TEXT, self._headers())
        if "Instance" in body:
            body = {**body, "Instance": correlation_id}
        text = json.dumps(body, indent=2, default=str)
        return ErrorAnswer(self.status, text.encode(), _JSON, self._headers())

    def _body(self) -> Mapping[str, object] | str:
        return _problem(self.status, "Internal Server Error", "An error occurred")

    def _headers(self) -> Mapping[str, str]:
        return {}


class UnauthorizedError(XeroSandboxError):
    """401: no token, a token that is not ours, or one that was revoked."""

    status = 401
    detail = "AuthenticationUnsuccessful"
    challenge = "invalid_token"

    def __init__(self) -> None:
        super().__init__(self.detail)

    def _body(self) -> Mapping[str, object] | str:
        return _problem(401, "Unauthorized", str(self))

    def _headers(self) -> Mapping[str, str]:
        return {"WWW-Authenticate": f"Bearer error={self.challenge}"}


class TokenInvalidSignatureError(UnauthorizedError):
    """401: a token that somebody else signed."""

    detail = "TokenInvalidSignature"


class TokenExpiredError(UnauthorizedError):
    """401: the access token is older than 30 minutes."""

    def __init__(self, expired_at: datetime) -> None:
        super().__init__()
        self.args = (f"TokenExpired: token expired at {expired_at:%m/%d/%Y %H:%M:%S}",)


class ScopeMissingError(UnauthorizedError):
    """401, not 403: the token lacks the scope of this resource."""

    detail = "AuthorizationUnsuccessful"
    challenge = "insufficient_scope"


class TenantForbiddenError(XeroSandboxError):
    """403: the tenant header is missing, wrong, or names an organisation no longer connected."""

    status = 403

    def _body(self) -> Mapping[str, object] | str:
        return _problem(403, "Forbidden", "AuthenticationUnsuccessful")


class NotFoundError(XeroSandboxError):
    """404, as plain text, for an unknown record and for an unknown path."""

    status = 404

    def _body(self) -> Mapping[str, object] | str:
        return "The resource you're looking for cannot be found"


class MethodNotAllowedError(XeroSandboxError):
    """405: the path exists, the method does not (writing comes later)."""

    status = 405

    def _body(self) -> Mapping[str, object] | str:
        text = "The sandbox reads only for now: writing over HTTP comes later."
        return _problem(405, "Method Not Allowed", text)

    def _headers(self) -> Mapping[str, str]:
        return {"Allow": "GET"}


class NotAcceptableError(XeroSandboxError):
    """406: the real Xero answers XML here; the sandbox says that it cannot yet."""

    status = 406

    def _body(self) -> Mapping[str, object] | str:
        text = (
            "Xero answers XML unless the request says `Accept: application/json`. "
            "This sandbox speaks JSON only for now: XML comes later."
        )
        return _problem(406, "Not Acceptable", text)


class AccountingError(XeroSandboxError):
    """400 in the accounting API's own form: ErrorNumber, Type, Message."""

    status = 400
    number = 0
    kind = ""

    def _body(self) -> Mapping[str, object] | str:
        return {"ErrorNumber": self.number, "Type": self.kind, "Message": str(self)}


class QueryParseError(AccountingError):
    """400: `where`, `order`, a page number or a date that cannot be read."""

    number = 16
    kind = "QueryParseException"


class PostDataInvalidError(AccountingError):
    """400: a body that cannot be read. Nothing raises it until the sandbox can be written to."""

    number = 17
    kind = "PostDataInvalidException"


class HighVolumeError(AccountingError):
    """400: a list of very many documents, unpaged or filtered inefficiently (`highvolume.py`)."""

    number = 51
    kind = "HighVolumeException"


class ValidationError(AccountingError):
    """400: a record breaks a rule; `elements` echo it, each with its ValidationErrors."""

    number = 10
    kind = "ValidationException"

    def __init__(self, message: str, elements: Sequence[Mapping[str, object]] = ()) -> None:
        super().__init__(message)
        self.elements = list(elements)

    def _body(self) -> Mapping[str, object] | str:
        return {
            "ErrorNumber": self.number,
            "Type": self.kind,
            "Message": "A validation exception occurred",
            "Elements": self.elements or [{"ValidationErrors": [{"Message": str(self)}]}],
        }


class UnavailableError(XeroSandboxError):
    """503 as plain text: Xero, or one organisation, is offline."""

    status = 503

    def _body(self) -> Mapping[str, object] | str:
        return str(self) or "The Xero API is currently offline for maintenance"


class RateLimitError(XeroSandboxError):
    """429: `problem` is minute, day, concurrent or appminute.

    Only minute and day carry `Retry-After`, in whole seconds. No capture of the real body is
    known, so this one is empty: a client can only read the headers.
    """

    status = 429

    def __init__(self, problem: str, retry_after_seconds: int | None = None) -> None:
        super().__init__(f"rate limit exceeded: {problem}")
        self.problem = problem
        self.retry_after_seconds = retry_after_seconds

    def _body(self) -> Mapping[str, object] | str:
        return ""

    def _headers(self) -> Mapping[str, str]:
        headers = {"X-Rate-Limit-Problem": self.problem}
        if self.retry_after_seconds is not None:
            headers["Retry-After"] = str(self.retry_after_seconds)
        return headers


class OAuthError(XeroSandboxError):
    """400 of the token endpoint: `invalid_grant`, `invalid_client`, …; nothing else in the body."""

    status = 400

    def __init__(self, error: str, description: str | None = None) -> None:
        super().__init__(error)
        self.error = error
        self.description = description

    def _body(self) -> Mapping[str, object] | str:
        body = {"error": self.error}
        if self.description is not None:
            body["error_description"] = self.description
        return body


class ConsentPageError(XeroSandboxError):
    """An HTML page instead of a redirect: a bad client, redirect URI or scope on /authorize."""

    status = 500

    def __init__(self, error: str, description: str) -> None:
        super().__init__(f"{error} : {description}")
        self.error = error
        self.description = description


class ControlError(XeroSandboxError):
    """400 of the control door: the sentence says what to send instead."""

    status = 400

    def _body(self) -> Mapping[str, object] | str:
        return {"error": str(self)}


class InternalError(XeroSandboxError):
    """500: something broke inside the sandbox; the stack trace goes to its log, never out."""


def _problem(status: int, title: str, detail: str) -> dict[str, object]:
    return {
        "Type": None,
        "Title": title,
        "Status": status,
        "Detail": detail,
        "Instance": None,
        "Extensions": {},
    }
