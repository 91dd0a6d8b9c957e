"""Every error of the library, sorted by who must act.

    XeroError
    ├── XeroSetupError            a person must act; retrying cannot help
    │   ├── NotConnectedError       no Xero user has connected this organisation
    │   ├── ConsentLostError        Xero refused the refresh: the user must connect again
    │   ├── ConsentRefusedError     this consent leads nowhere: it must be begun anew
    │   ├── TenantForbiddenError    403: this organisation is no longer connected to the app
    │   └── ScopeMissingError       401: the user did not grant what this endpoint needs
    ├── XeroBusyError             the other side must act; try again later
    │   ├── RateLimitError          429, with the limit's name and the seconds to wait
    │   ├── UnavailableError        5xx, maintenance, time-outs, dropped connections
    │   └── WarehouseBusyError      Postgres cannot take the data now: full, gone, or locked
    │       └── TenantBusyError       another run is reading or erasing this organisation
    └── XeroContractError         we must act; the message is a bug report
        ├── BadRequestError         400
        ├── NotFoundError           404
        ├── HighVolumeError         400: too large to be read without paging
        ├── UnexpectedPayloadError  the answer is not what Xero documents
        ├── VanishedError           far fewer records than yesterday: an alarm, not a truth
        └── PublishError            a dbt model or test failed: the marts keep their last state
            └── TieOutError           the marts are renewed, and do not agree with Xero's reports

Knows nothing of HTTP, Postgres or Airflow. Only `retry.py` translates these for Airflow.
Errors survive pickling, and no error ever holds a token, a secret or a response header.
"""

from __future__ import annotations

from typing import Any, ClassVar


class XeroError(Exception):
    """Anything that went wrong between us and Xero.

    `message` says what happened and, where a person must act, what to do. The attributes say
    where: `tenant_id`, `endpoint` (a name of `endpoints.py`) and `page` of its list, HTTP `status`,
    and Xero's `correlation_id`, which Xero's support asks for. Each is None where it does not
    apply. `in_words` is which of these errors it is, as people are told.
    """

    in_words: ClassVar[str] = "a fault"

    def __init__(
        self,
        message: str,
        *,
        tenant_id: str | None = None,
        endpoint: str | None = None,
        page: int | None = None,
        status: int | None = None,
        correlation_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.tenant_id = tenant_id
        self.endpoint = endpoint
        self.page = page
        self.status = status
        self.correlation_id = correlation_id

    @property
    def kind(self) -> str:
        """Which of our errors it is, in plain words: `scope missing`, `day limit used up`."""
        return self.in_words

    def told(self) -> str:
        """Its kind and its message: one line that a person reads without the log."""
        return f"{self.kind}: {self.message}"

    def __reduce__(self) -> tuple[Any, ...]:
        # The default rebuilds from args alone and would lose the keyword-only attributes.
        return (_rebuild, (type(self), self.message, self.__dict__.copy()))

    def __str__(self) -> str:
        places = {
            "tenant": self.tenant_id,
            "endpoint": self.endpoint,
            "page": self.page,
            "status": self.status,
            "correlation_id": self.correlation_id,
        }
        where = " ".join(f"{name}={value}" for name, value in places.items() if value is not None)
        return f"{self.message} [{where}]" if where else self.message


def _rebuild(kind: type[XeroError], message: str, attributes: dict[str, Any]) -> XeroError:
    error = kind.__new__(kind)
    Exception.__init__(error, message)
    error.__dict__.update(attributes)
    return error


class XeroSetupError(XeroError):
    """A person must act: the message names the page or field to change."""

    in_words = "set-up to correct"


class NotConnectedError(XeroSetupError):
    """No Xero user with a live grant has connected this organisation."""

    in_words = "not connected"


class ConsentLostError(XeroSetupError):
    """Xero refused to refresh the grant; its user must press Connect to Xero again."""

    in_words = "needs reconnecting"


class ConsentRefusedError(XeroSetupError):
    """A consent under way is unknown, used, late or another browser's: begin it anew."""

    in_words = "consent refused"


class TenantForbiddenError(XeroSetupError):
    """Xero answers 403 for the organisation: it was disconnected, or the user lost access."""

    in_words = "access refused"


class ScopeMissingError(XeroSetupError):
    """The grant lacks a scope; reconnecting with that scope switched on repairs it."""

    in_words = "scope missing"


class XeroBusyError(XeroError):
    """Xero (or the warehouse) cannot answer now; the same request may succeed later.

    `retry_after_seconds` is Xero's own figure, or None where Xero gives none.
    """

    in_words = "busy"

    def __init__(
        self, message: str, *, retry_after_seconds: int | None = None, **where: Any
    ) -> None:
        super().__init__(message, **where)
        self.retry_after_seconds = retry_after_seconds


class RateLimitError(XeroBusyError):
    """A limit is used up.

    `limit` is `minute`, `day`, `concurrent` or `appminute`; of the last two Xero does not say when
    they open.
    """

    def __init__(self, message: str, *, limit: str, **where: Any) -> None:
        super().__init__(message, **where)
        self.limit = limit

    @property
    def kind(self) -> str:
        """Which limit it is."""
        return f"{self.limit} limit used up"


class UnavailableError(XeroBusyError):
    """Xero did not answer, or answered with a server error."""

    in_words = "Xero unavailable"


class WarehouseBusyError(XeroBusyError):
    """The warehouse cannot take the data now; nothing is lost, the next try continues."""

    in_words = "warehouse busy"


class TenantBusyError(WarehouseBusyError):
    """Another run holds the organisation; how long that takes, nobody but Xero knows."""

    in_words = "being read already"


class XeroContractError(XeroError):
    """Our request or our understanding of the answer is wrong: please report it."""


class BadRequestError(XeroContractError):
    """Xero refused the request as malformed."""

    in_words = "request refused"


class NotFoundError(XeroContractError):
    """Xero knows no such resource."""

    in_words = "unknown to Xero"


class HighVolumeError(XeroContractError):
    """Xero refuses an unpaged or unfiltered read of a very large organisation."""

    in_words = "too much to read at once"


class UnexpectedPayloadError(XeroContractError):
    """The body is not JSON, or lacks what Xero documents."""

    in_words = "unexpected answer"


class VanishedError(XeroContractError):
    """A list holds far fewer records than it did; nothing of it is kept until somebody agrees."""

    in_words = "records vanished"


class PublishError(XeroContractError):
    """A dbt model or test failed, so that the marts were not (all) renewed."""

    in_words = "statistics not built"


class TieOutError(PublishError):
    """The marts are renewed, but their tie-out is broken by more than a person tolerates."""

    in_words = "statistics published, tie-out broken"
