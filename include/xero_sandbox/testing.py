"""The sandbox inside a test: a server on a free port, a person at its pages, a pytest fixture.

Speaks HTTP to the sandbox like anybody else; for tests alone. A test folder takes the fixture by
`from xero_sandbox.testing import xero_sandbox, xero_sandbox_server` in its conftest.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest
import uvicorn

from xero_sandbox.app import create_app
from xero_sandbox.identity.registration import AppSettings
from xero_sandbox.server import listen, new_server
from xero_sandbox.state import StateFile
from xero_sandbox.tls import certificates
from xero_sandbox.world import DEFAULT_SEED, World

_START_SECONDS = 10
_STEPS = 10


class SandboxServer:
    """A sandbox in a thread of this process: `with SandboxServer() as sandbox: sandbox.url`.

    `state` is a file that outlives it. With `tls`, a folder, it speaks https alone; clients then
    trust `ca.pem` in that folder.
    """

    def __init__(
        self,
        port: int = 0,
        seed: int = DEFAULT_SEED,
        *,
        demo: bool = True,
        app: AppSettings | None = None,
        state: Path | None = None,
        tls: Path | None = None,
    ) -> None:
        self._wanted_port = port
        self._state = StateFile(state) if state else None
        self._certificates = certificates(tls) if tls else None
        self.world = World(app, seed=seed, demo=demo)
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._http: httpx.Client | None = None
        self.url = ""
        self.port = 0

    @property
    def client_id(self) -> str:
        """The id of the one registered app."""
        return self.world.app.client_id

    @property
    def client_secret(self) -> str:
        """The secret of the one registered app."""
        return self.world.app.client_secret

    def start(self) -> SandboxServer:
        """Listen, and return once the server answers."""
        if self._state is not None:
            self._state.load(self.world)
            self._state.save(self.world)
        sockets = listen(self._wanted_port)
        ready = threading.Event()
        app = create_app(self.world, save=self._state.save if self._state else None)
        server = new_server(app, on_ready=ready.set, tls=self._certificates)
        self._server = server
        self._thread = threading.Thread(
            target=server.run, args=(sockets,), name="xero-sandbox", daemon=True
        )
        self._thread.start()
        if not ready.wait(_START_SECONDS):
            message = f"the sandbox did not start within {_START_SECONDS} seconds"
            raise RuntimeError(message)
        self.port = sockets[0].getsockname()[1]
        self.url = f"http{'s' if self._certificates else ''}://localhost:{self.port}"
        self._http = self.browser()
        return self

    def browser(self) -> httpx.Client:
        """A client of this server, with a cookie jar of its own.

        With `tls` it reaches api, identity and login.xero.com here too, as a client does whose
        names are redirected to this machine.
        """
        if self._certificates is None:
            return new_browser(self.url)
        names = RedirectedNames(self.port, self._certificates.authority)
        return httpx.Client(base_url=self.url, timeout=60, trust_env=False, transport=names)

    def stop(self) -> None:
        """Stop answering; the state file, if any, can start another one."""
        if self._http is not None:
            self._http.close()
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join()

    def __enter__(self) -> SandboxServer:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def control(self, method: str, path: str, json: object = None) -> Any:
        """Ask the control door (`path` such as "/_sandbox/limits" or "limits"); its JSON.

        Raises ValueError with the door's own sentence for a refusal.
        """
        if self._http is None:
            message = "the sandbox is not started"
            raise RuntimeError(message)
        url = path if path.startswith("/") else f"/_sandbox/{path}"
        response = self._http.request(method, url, json=json)
        if response.is_error:
            message = f"{method} {url}: {response.status_code} {_sentence(response)}"
            raise ValueError(message)
        return response.json() if response.content else None

    def reset(self, **wanted: object) -> None:
        """Put everything back to the start; `seed` and `demo` as in the control door."""
        self.control("POST", "reset", wanted)

    def organisations(self) -> dict[str, str]:
        """The tenant ids by name; builds nothing."""
        return {plan.name: plan.tenant_id for plan in self.world.plans.values()}

    def consent(
        self,
        authorize_url: str,
        email: str = "ava@example.com",
        organisations: Sequence[str] | None = None,
        *,
        allow: bool = True,
    ) -> str:
        """Log in and answer the consent page as a person would; the URL of the callback.

        `organisations` are tenant ids, all of the person's by default. The callback itself is
        not called. Raises ValueError with the page's text when the app is refused.
        """
        with self.browser() as browser:
            return walk_consent(
                browser, authorize_url, email=email, organisations=organisations, allow=allow
            )


class RedirectedNames(httpx.BaseTransport):
    """Carries every request to one port of this machine, whatever host it names, by https."""

    def __init__(self, port: int, authority: Path) -> None:
        context = ssl.create_default_context(cafile=str(authority))
        self._port = port
        self._inner = httpx.HTTPTransport(verify=context)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Connect here, and check the certificate for the host that was named."""
        here = httpx.Request(
            request.method,
            request.url.copy_with(host="127.0.0.1", port=self._port),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": request.url.host},
        )
        return self._inner.handle_request(here)

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()


def new_browser(url: str = "") -> httpx.Client:
    """An HTTP client for the sandbox: patient, without proxies, with a cookie jar of its own."""
    # Reading the certificate authorities takes longer than most tests; plain http needs none.
    no_authorities = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return httpx.Client(base_url=url, timeout=60, trust_env=False, verify=no_authorities)


def _sentence(response: httpx.Response) -> str:
    try:
        return str(response.json()["error"])
    except (ValueError, KeyError, TypeError):
        return response.text


def walk_consent(
    browser: httpx.Client,
    authorize_url: str,
    *,
    email: str,
    organisations: Sequence[str] | None = None,
    allow: bool = True,
) -> str:
    """Walk through login and consent with this browser; the URL of the callback."""
    origin = str(httpx.URL(authorize_url).copy_with(raw_path=b"/"))
    response = browser.get(authorize_url)
    for _ in range(_STEPS):
        if response.is_redirect:
            target = urljoin(str(response.url), response.headers["Location"])
            if not target.startswith(f"{origin}identity/"):
                return target
            response = browser.get(target)
            continue
        form = Form.of(response)
        if "email" in form.names:
            answer = form.fields | {"email": email, "password": "sandbox"}
        else:
            answer = form.fields | {
                "tenant_id": [*(organisations or form.choices)],
                "decision": "allow" if allow else "cancel",
            }
        response = browser.post(urljoin(str(response.url), form.action), data=answer)
    message = f"the consent pages did not end: {response.url}"
    raise ValueError(message)


class Form(HTMLParser):
    """The first form of a page: its action, hidden fields and choices."""

    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, Any] = {}
        self.names: list[str] = []
        self.choices: list[str] = []
        self._is_inside = False
        self._is_done = False

    @classmethod
    def of(cls, response: httpx.Response) -> Form:
        """The form of a response. Raises ValueError for a page without one."""
        form = cls()
        form.feed(response.text)
        if not form.action:
            message = f"no form on {response.url} ({response.status_code}): {response.text}"
            raise ValueError(message)
        return form

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect what belongs to the first form."""
        found = {name: value or "" for name, value in attrs}
        if tag == "form" and not self._is_done:
            self._is_inside, self.action = True, found.get("action", "")
        if tag != "input" or not self._is_inside:
            return
        name, kind = found.get("name", ""), found.get("type", "")
        self.names.append(name)
        if kind in ("checkbox", "radio"):
            self.choices.append(found.get("value", ""))
        elif kind == "hidden":
            self.fields[name] = found.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        """Stop after the first form."""
        if tag == "form":
            self._is_inside, self._is_done = False, True


@pytest.fixture(scope="session")
def xero_sandbox_server() -> Iterator[SandboxServer]:
    """One server for all tests of a session."""
    with SandboxServer() as server:
        yield server


@pytest.fixture
def xero_sandbox(xero_sandbox_server: SandboxServer) -> SandboxServer:
    """The server as if just started: nothing that another test arranged is left."""
    xero_sandbox_server.reset()
    return xero_sandbox_server
