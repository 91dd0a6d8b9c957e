"""A person's browser, as far as connecting to Xero needs one: pages, forms, cookies.

Walks the same addresses that a person clicks through: Airflow's Connect page, Xero's login and
consent, and back. Knows nothing of tokens, of the database, or of what the pages say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx

from local_stack.errors import StackError

_TIMEOUT_SECONDS = 60
# Connect page → login → consent → callback is four; more means a page sent us in a circle.
_MOST_FORMS = 5
_AGREEING = frozenset({"allow", "yes"})


@dataclass
class Form:
    """One HTML form: where it goes, its buttons, and its fields with every box ticked."""

    action: str
    method: str
    fields: dict[str, list[str]] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


def consent(start_url: str, *, airflow_token: str, email: str, password: str) -> None:
    """Press Connect at `start_url` and agree to everything as the Xero user `email`.

    Ends where a page without a form is shown, back in Airflow. StackError when a page fails.
    """
    with httpx.Client(timeout=_TIMEOUT_SECONDS, trust_env=False, follow_redirects=True) as browser:
        browser.cookies.set("_token", airflow_token)
        page = _checked(browser.get(start_url))
        for _ in range(_MOST_FORMS):
            form = first_form(page.text)
            if form is None:
                return
            answers = {"email": email, "username": email, "password": password}
            page = _checked(_submit(browser, page, form, answers=answers))
    raise StackError(f"Connecting {email} did not come to an end: {_place(page)} asks again.")


def first_form(html: str) -> Form | None:
    """Return the first form of the page, every box ticked, or None."""
    reader = _FormReader()
    reader.feed(html)
    return reader.form


def _submit(
    browser: httpx.Client, page: httpx.Response, form: Form, *, answers: Mapping[str, str]
) -> httpx.Response:
    data = {
        name: [answers[name]] if name in answers else values for name, values in form.fields.items()
    }
    for name, value in _pressed(form):
        data[name] = [value]
    target = urljoin(str(page.url), form.action)
    if form.method == "get":
        return browser.get(target, params=data)
    origin = f"{page.url.scheme}://{page.url.netloc.decode()}"
    return browser.post(target, data=data, headers={"Origin": origin})


def _pressed(form: Form) -> list[tuple[str, str]]:
    """Return the button to press: the one that agrees, else the first, as Enter would."""
    agreeing = [button for button in form.buttons if button[1] in _AGREEING]
    return (agreeing or form.buttons)[:1]


def _checked(page: httpx.Response) -> httpx.Response:
    if page.is_success:
        return page
    raise StackError(
        f"Connecting to Xero stopped at {_place(page)} with status {page.status_code}: "
        f"{said_by(page.text)}\nRead the logs of the api-server and the sandbox, then run the "
        "command again."
    )


def _place(page: httpx.Response) -> str:
    # Without the query, which holds the state or the code of the consent.
    return str(page.url.copy_with(query=None))


def said_by(html: str) -> str:
    """Return the headings and paragraphs of a page on one line."""
    reader = _TextReader()
    reader.feed(html)
    return " ".join(" ".join(reader.texts).split()) or "the page says nothing."


class _TextReader(HTMLParser):
    """Reads what stands in headings and paragraphs."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._is_open = False

    def handle_starttag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        self._is_open = self._is_open or tag in ("h1", "p")

    def handle_endtag(self, tag: str) -> None:
        self._is_open = self._is_open and tag not in ("h1", "p")

    def handle_data(self, data: str) -> None:
        if self._is_open:
            self.texts.append(data)


class _FormReader(HTMLParser):
    """Reads the first form; nothing after it."""

    def __init__(self) -> None:
        super().__init__()
        self.form: Form | None = None
        self._is_open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and self.form is None:
            self.form = Form(given.get("action", ""), given.get("method", "get").lower())
            self._is_open = True
        elif self._is_open and self.form is not None and given.get("name"):
            self._read_field(self.form, tag, given)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_open = False

    @staticmethod
    def _read_field(form: Form, tag: str, given: Mapping[str, str]) -> None:
        kind = given.get("type", "submit" if tag == "button" else "text")
        if tag in ("button", "input") and kind in ("submit", "image"):
            form.buttons.append((given["name"], given.get("value", "")))
        elif tag == "input" and not (kind == "radio" and given["name"] in form.fields):
            default = "on" if kind == "checkbox" else ""
            form.fields.setdefault(given["name"], []).append(given.get("value", default))
