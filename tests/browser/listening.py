"""What a screen reader is given of a page: Chromium's own accessibility tree, and what it reads.

Knows the tree alone, over the browser's DevTools. Must not know what a page should say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Locator, Page


@dataclass(frozen=True)
class Heard:
    """One thing of the tree, as a screen reader is told of it."""

    node_id: str
    role: str
    name: str
    description: str
    properties: Mapping[str, Any]
    above: tuple[str, ...]
    """The ids of all that it is part of, the nearest first."""


# What can be operated, and must therefore be called something.
CONTROLS = frozenset(
    {
        "button",
        "checkbox",
        "combobox",
        "link",
        "menuitem",
        "option",
        "progressbar",
        "searchbox",
        "textbox",
    }
)


def heard(page: Page, within: Locator | None = None) -> list[Heard]:
    """Everything that is not ignored, in the order in which it is read; of one element's if given.

    The element itself is the first then.
    """
    session = page.context.new_cdp_session(page)
    try:
        session.send("Accessibility.enable")
        nodes = session.send("Accessibility.getFullAXTree")["nodes"]
        root = nodes[0]["nodeId"] if within is None else _id_of(session, within, nodes)
    finally:
        session.detach()
    known = {node["nodeId"]: node for node in nodes}
    return list(_walked(known, root, above=()))


def _id_of(session: Any, within: Locator, nodes: list[dict[str, Any]]) -> str:
    mark = "data-heard-from-here"
    within.evaluate(f"(element) => element.setAttribute('{mark}', '')")
    found = session.send("Runtime.evaluate", {"expression": f"document.querySelector('[{mark}]')"})[
        "result"
    ]["objectId"]
    backend = session.send("DOM.describeNode", {"objectId": found})["node"]["backendNodeId"]
    within.evaluate(f"(element) => element.removeAttribute('{mark}')")
    return str(next(node for node in nodes if node.get("backendDOMNodeId") == backend)["nodeId"])


def _walked(
    known: Mapping[str, Mapping[str, Any]], node_id: str, *, above: tuple[str, ...]
) -> Iterator[Heard]:
    node = known.get(node_id)
    if node is None:
        return
    if not node.get("ignored"):
        yield Heard(
            node_id,
            str(node.get("role", {}).get("value", "")),
            str(node.get("name", {}).get("value", "")),
            str(node.get("description", {}).get("value", "")),
            {one["name"]: one["value"].get("value") for one in node.get("properties", ())},
            above,
        )
        above = (node_id, *above)
    for child in node.get("childIds", ()):
        yield from _walked(known, child, above=above)


def of_role(found: list[Heard], *roles: str) -> list[Heard]:
    """Those with one of these roles."""
    return [one for one in found if one.role in roles]


def text_in(found: list[Heard], one: Heard) -> str:
    """All text that is read within one of them."""
    parts = [each.name for each in found if one.node_id in each.above and each.role == "StaticText"]
    return " ".join(parts)


def spoken_in(found: list[Heard]) -> dict[str, str]:
    """What stands in places that speak by themselves: the text, and how urgently it is told."""
    roots = [one for one in found if one.role in {"status", "alert", "log"}]
    return {
        text: str(one.properties.get("live", "")) for one in roots if (text := text_in(found, one))
    }
