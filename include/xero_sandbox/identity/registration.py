"""The one registered app: its credentials, its redirect URIs, and the era of its scopes.

Knows what can be registered, and what then may be asked for. Must not know HTTP or who
consents. Its price tier is kept with the limits, which follow from it. Follows Xero's "OAuth 2.0
FAQ" on redirect URIs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from xero_sandbox.errors import ControlError
from xero_sandbox.identity.scopes import ERAS

_MOST_URIS = 50


@dataclass(frozen=True)
class AppSettings:
    """The app. `redirect_uris` empty: any http://localhost… is accepted.

    `era` is one of `scopes.ERAS`; `custom_connection` the tenant id that the app's own
    credentials open, the first organisation if None.
    """

    client_id: str = "sandbox-client"
    client_secret: str = field(default="sandbox-secret", repr=False)
    redirect_uris: tuple[str, ...] = ()
    name: str = "Sandbox app"
    era: str = "mixed"
    custom_connection: str | None = None

    def changed(self, wanted: Mapping[str, object]) -> AppSettings:
        """Return the app with some settings replaced; id and secret stay.

        Raises ControlError, with a sentence, for what Xero would not register.
        """
        changes = {name: _checked(name, value) for name, value in wanted.items()}
        return replace(self, **changes)  # type: ignore[arg-type]

    def accepts(self, redirect_uri: str) -> bool:
        """Whether a code may be sent there: exactly a registered address, or any of localhost."""
        if self.redirect_uris:
            return redirect_uri in self.redirect_uris
        return _is_localhost(redirect_uri)


def checked_uris(given: Sequence[object]) -> tuple[str, ...]:
    """Redirect URIs as Xero registers them. Raises ControlError for one that it would refuse."""
    if len(given) > _MOST_URIS:
        raise ControlError(f"an app has at most {_MOST_URIS} redirect URIs")
    for uri in given:
        if not isinstance(uri, str) or not (_is_localhost(uri) or _is_https(uri)):
            sentence = "https://… or http://localhost…, without a wildcard or a fragment"
            raise ControlError(f"{uri!r} cannot be a redirect URI: Xero takes {sentence}")
    return tuple(str(uri) for uri in given)


def _checked(name: str, value: object) -> object:
    match name:
        case "redirect_uris" if isinstance(value, list):
            return checked_uris(value)
        case "era" if value in tuple(ERAS):
            return value
        case "name" if isinstance(value, str) and value.strip():
            return value
        case "custom_connection" if value is None or isinstance(value, str):
            return value
        case "redirect_uris" | "era" | "name" | "custom_connection":
            hint = f": one of {', '.join(ERAS)}" if name == "era" else ""
            raise ControlError(f"{name} of the app cannot be {value!r}{hint}")
    known = "name, redirect_uris, era, tier, custom_connection"
    raise ControlError(f"unknown field {name!r} of the app: one of {known}")


def _is_localhost(uri: str) -> bool:
    return _origin(uri) == ("http", "localhost")


def _is_https(uri: str) -> bool:
    scheme, host = _origin(uri)
    return scheme == "https" and host != ""


def _origin(uri: str) -> tuple[str, str]:
    """Scheme and host of an address that could be registered; blank for any other."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return "", ""
    is_plain = not parts.fragment and "*" not in uri and uri == uri.strip()
    return (parts.scheme, parts.hostname or "") if is_plain else ("", "")
