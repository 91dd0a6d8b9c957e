// The organisations: sought, sorted, paged; a table or, on a phone, cards. Draws what it is given.

import { Cards, HEADS, Rows } from "./rows.js";
import { HIDDEN, LINE, Live, OutlineButton, Small, useIsNarrow } from "./look.js";
import { Asked } from "./row_actions.js";
import {
  endOfGrant,
  numberOf,
  orderOfState,
  placeOf,
  shownState,
  stateOf,
  statesAmong,
} from "./words.js";

const { createElement: h, startTransition, useEffect, useMemo, useState } = globalThis.React;
const { Box, Flex, Input, NativeSelect, Text } = globalThis.ChakraUI;

const SEARCH_FROM = 8;
const PAGE_SIZE = 50;
// As many as a window shows: these are painted before the rest is drawn.
const AT_ONCE = 12;
const ALL = "";

const NAMES = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
const byText = (value) => (one, other) => NAMES.compare(value(one) ?? "", value(other) ?? "");
const byName = byText((one) => one.name);

// How two organisations are compared; what is unknown stands behind what is known, or in front.
const ORDERS = {
  name: byName,
  state: (one, other) => orderOfState(one) - orderOfState(other),
  day: byText((one) => one.last_complete_day),
  tie_out: (one, other) => brokenLines(other) - brokenLines(one),
  calls: (one, other) => (one.calls_left ?? Infinity) - (other.calls_left ?? Infinity) || 0,
  access: byText((one) => (endOfGrant(one) ? one.grant_ends_at : "9")),
};
const brokenLines = (one) => one.tie_out?.broken_lines ?? -1;

export function Organisations({ organisations, ...shown }) {
  const [sought, setSought] = useState("");
  const [state, setState] = useState(ALL);
  const [sort, setSort] = useState({ by: "name", isDown: false });
  const [page, setPage] = useState(0);
  const [spoken, setSpoken] = useState("");
  const [asked, setAsked] = useState(null);
  const isNarrow = useIsNarrow();
  const drawn = useDrawn();
  const found = useMemo(
    () => inOrder(organisations.filter(matching(sought, state)), sort),
    [organisations, sought, state, sort],
  );
  const first = Math.min(page, Math.max(0, Math.ceil(found.length / PAGE_SIZE) - 1)) * PAGE_SIZE;
  const seen = found.slice(first, first + PAGE_SIZE);
  // Another search or order begins at its first page.
  const anew = (change) => (value) => {
    setPage(0);
    change(value);
  };
  const sortAnew = anew((wished) => {
    setSort(wished);
    setSpoken(`Sorted by ${HEAD_OF[wished.by]}, ${wished.isDown ? "descending" : "ascending"}`);
  });
  const turnTo = (wished) => {
    setPage(wished);
    setSpoken(`Page ${wished + 1} of ${Math.ceil(found.length / PAGE_SIZE)}`);
  };
  const List = isNarrow ? Cards : Rows;
  return h(
    Flex,
    { direction: "column", gap: 4 },
    organisations.length >= SEARCH_FROM &&
      h(Filters, {
        found: found.length,
        isNarrow,
        onSeek: anew(setSought),
        onSort: (by) => sortAnew({ by, isDown: false }),
        onState: anew(setState),
        organisations,
        sort,
        sought,
        state,
      }),
    found.length
      ? h(List, {
          ...shown,
          onAsk: setAsked,
          onSort: sortAnew,
          organisations: seen.slice(0, drawn),
          sort,
        })
      : h(Text, { color: "fg.muted", py: 6 }, "No organisation matches your search."),
    found.length > PAGE_SIZE &&
      h(Pages, { first, last: first + seen.length, of: found.length, turnTo }),
    h(Live, HIDDEN, spoken),
    asked && h(Asked, { ...asked, onClose: () => setAsked(null), onDone: shown.onDone }),
  );
}

/** How many rows of a page are drawn: a window full, and all of them once that was painted. */
function useDrawn() {
  const [drawn, setDrawn] = useState(AT_ONCE);
  useEffect(() => {
    const timer = setTimeout(() => startTransition(() => setDrawn(PAGE_SIZE)));
    return () => clearTimeout(timer);
  }, []);
  return drawn;
}

const matching = (sought, state) => {
  const words = sought.trim().toLocaleLowerCase();
  return (one) =>
    (state === ALL || shownState(one) === state) &&
    `${one.name} ${placeOf(one)} ${one.connected_by} ${one.xero_user ?? ""} ${stateOf(one).label}`
      .toLocaleLowerCase()
      .includes(words);
};

const inOrder = (found, { by, isDown }) => {
  const compare = ORDERS[by];
  return found.sort((one, other) => (isDown ? -1 : 1) * compare(one, other) || byName(one, other));
};

const HEAD_OF = Object.fromEntries(HEADS);
const SORTS = [
  ["name", "Name"],
  ["state", "State: who needs you first"],
  ["day", "Last complete day: oldest first"],
  ["tie_out", "Tie-out: most differences first"],
  ["calls", "Calls left: fewest first"],
  ["access", "Access: ends soonest first"],
];

function Filters({ found, isNarrow, onSeek, onSort, onState, organisations, sort, sought, state }) {
  return h(
    Flex,
    { align: { base: "stretch", md: "center" }, direction: { base: "column", md: "row" }, gap: 3 },
    h(Input, {
      ...LINE,
      "aria-label": "Search organisations",
      maxW: { base: "full", md: "sm" },
      onChange: (event) => onSeek(event.target.value),
      placeholder: "Search by name, country, person or state",
      type: "search",
      value: sought,
    }),
    h(Choice, {
      choices: [[ALL, "Every state"], ...statesAmong(organisations)],
      label: "Show organisations in state",
      onChoose: onState,
      value: state,
    }),
    isNarrow &&
      h(Choice, { choices: SORTS, label: "Sort organisations by", onChoose: onSort, value: sort.by }),
    h(
      Small,
      { "aria-live": "polite", ms: { md: "auto" }, role: "status", whiteSpace: "nowrap" },
      `${numberOf(found)} of ${numberOf(organisations.length)} organisations`,
    ),
  );
}

function Choice({ choices, label, onChoose, value }) {
  return h(
    NativeSelect.Root,
    { width: { base: "full", md: "2xs" } },
    h(
      NativeSelect.Field,
      { ...LINE, "aria-label": label, onChange: (event) => onChoose(event.target.value), value },
      choices.map(([key, words]) => h("option", { key, value: key }, words)),
    ),
    h(NativeSelect.Indicator),
  );
}

function Pages({ first, last, of, turnTo }) {
  const page = first / PAGE_SIZE;
  // Not `disabled`: a button that ends as the last page comes would drop the keyboard's place.
  const turning = (isEnd, to) => ({
    "aria-disabled": isEnd,
    onClick: () => isEnd || turnTo(to),
    size: "sm",
  });
  return h(
    Flex,
    { "aria-label": "Pages of organisations", align: "center", as: "nav", gap: 3, wrap: "wrap" },
    h(OutlineButton, turning(page === 0, page - 1), "Previous"),
    h(OutlineButton, turning(last >= of, page + 1), "Next"),
    h(
      Box,
      null,
      h(Small, { as: "span" }, `${numberOf(first + 1)} to ${numberOf(last)} of ${numberOf(of)}`),
    ),
  );
}
