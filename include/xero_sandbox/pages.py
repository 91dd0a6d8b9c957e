"""The HTML of the sandbox's own pages: the frame of all, and login, consent and refusal.

Knows how things look. Must not know how they are decided: everything comes in as plain values,
and every value is escaped here, since the name of an organisation may hold HTML. Own look and
own name, so that nobody takes these pages for the real ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

BRAND = (
    '<div class="brand"><svg viewBox="0 0 32 32" aria-hidden="true">'
    '<circle class="sun" cx="21.5" cy="10.5" r="5.5"/>'
    '<path class="hill" d="M1 27c5-10 9-12 13-7 2 2.500 3.500 3 6 1 4-3 7-1 11 6z"/></svg>'
    "<span>Xero sandbox</span></div>"
)
_STYLE = "/_sandbox/static/sandbox.css"


@dataclass(frozen=True)
class Choice:
    """One organisation on the consent page."""

    tenant_id: str
    name: str
    is_connected: bool
    is_chosen: bool


def login_page(return_url: str, people: Sequence[tuple[str, str]], problem: str = "") -> str:
    """Ask who is there; `people` (email, name) are offered as buttons, since this is a sandbox."""
    target = f'<input type="hidden" name="return_url" value="{escape(return_url)}">'
    quick = "".join(
        f'<button class="plain" name="as" value="{escape(email)}">{escape(name or email)}</button>'
        for email, name in people
    )
    shortcut = (
        f'<form class="foot" method="post" action="/identity/login">{target}'
        f'<p class="soft small">Demo people, no password needed</p>'
        f'<div class="people">{quick}</div></form>'
        if people
        else '<div class="foot soft small">No users yet: POST /_sandbox/users makes one.</div>'
    )
    return _door(
        "Log in",
        f"""<h1>Log in</h1>
<p class="soft">to the pretend Xero on this machine</p>
{_problem(problem)}<form method="post" action="/identity/login">{target}
<label class="field">Email address<input type="email" name="email" required autofocus
 autocomplete="username"></label>
<label class="field">Password<input type="password" name="password" required
 autocomplete="current-password"></label>
<p class="soft small">Every password here is <code>sandbox</code>.</p>
<div class="actions"><button type="submit">Log in</button></div></form>
{shortcut}""",
    )


def consent_page(
    *,
    consent_id: str,
    app_name: str,
    person: str,
    choices: Sequence[Choice],
    scopes: Iterable[str],
    one_only: bool,
    switch_url: str,
    problem: str = "",
) -> str:
    """Ask which organisations the app may read. `scopes` are sentences."""
    kind = "radio" if one_only else "checkbox"
    sentences = "".join(f"<li>{escape(sentence)}</li>" for sentence in scopes)
    rows = "".join(_choice(choice, kind) for choice in choices)
    legend = "Choose an organisation" if one_only else "Choose organisations"
    organisations = (
        f'<fieldset><legend>{legend}</legend><div class="choices">{rows}</div></fieldset>'
        if choices
        else '<p class="notice note">You have no organisation to connect.</p>'
    )
    allow = '<button type="submit" name="decision" value="allow">Allow access</button>'
    return _door(
        "Allow access",
        f"""<h1>{escape(app_name)} wants access</h1>
<p class="soft">You are logged in as {escape(person)}.</p>
{_problem(problem)}<form method="post" action="/identity/consent">
<input type="hidden" name="consent_id" value="{escape(consent_id)}">
{organisations}<fieldset><legend>It will be able to</legend>
<ul class="scopes">{sentences}</ul></fieldset>
<div class="actions"><button class="plain" type="submit" name="decision" value="cancel"
>Cancel</button>{allow if choices else ""}</div></form>
<div class="foot soft small">A pretend consent: nothing leaves this machine.
<a href="{escape(switch_url)}">Use another login</a></div>""",
    )


def refusal_page(error: str, description: str, hint: str) -> str:
    """Say why a request to authorize was refused, in the words of the real page."""
    return _door(
        "Sorry",
        f"""<h1>Sorry, something went wrong</h1>
<p class="notice bad first">Error code: 500<br>{escape(error)} : {escape(description)}</p>
<p>{escape(hint)}</p>
<div class="foot soft small">As the real Xero does, the sandbox shows this page instead of
going back to the app.</div>""",
    )


def _choice(choice: Choice, kind: str) -> str:
    chosen = " checked" if choice.is_chosen else ""
    tag = '<span class="tag good">connected</span>' if choice.is_connected else ""
    return (
        f'<label class="choice"><input type="{kind}" name="tenant_id" '
        f'value="{escape(choice.tenant_id)}"{chosen}> <span>{escape(choice.name)}</span>{tag}'
        "</label>"
    )


def _problem(text: str) -> str:
    return f'<p class="notice bad" role="alert">{escape(text)}</p>' if text else ""


def _door(title: str, body: str) -> str:
    main = f'<main class="card">{BRAND}{body}</main>'
    return page(f"{title} · Xero sandbox", main, classes="door")


def page(title: str, body: str, *, classes: str = "", head: str = "") -> str:
    """A whole page; `body` and `head` are HTML, the title is not."""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><link rel="stylesheet" href="{_STYLE}">{head}</head>
<body class="{classes}">{body}</body></html>
"""
