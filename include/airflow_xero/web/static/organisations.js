// The organisations as figures, and as a table or, on a phone, as cards. Draws what it is given.

import {
  agoOf,
  canReconnect,
  dayOf,
  explanationOf,
  initialOf,
  needsAttention,
  stateOf,
  timeOf,
} from "./words.js";

const { createElement: h, useEffect, useState } = globalThis.React;
const { Badge, Box, Button, Card, Flex, Input, SimpleGrid, Spinner, Table, Text } =
  globalThis.ChakraUI;

const SEARCH_FROM = 8;

// Surfaces that stand out from the page a little, in both of Airflow's colour modes.
export const LINE = { borderColor: { base: "border", _dark: "whiteAlpha.300" } };
export const PANEL = { ...LINE, bg: { base: "bg", _dark: "whiteAlpha.50" }, borderWidth: 1 };

export function Organisations({ organisations, onConnect }) {
  const [sought, setSought] = useState("");
  const isNarrow = useIsNarrow();
  const found = organisations.filter((one) =>
    `${one.name} ${one.connected_by} ${stateOf(one).label}`
      .toLocaleLowerCase()
      .includes(sought.trim().toLocaleLowerCase()),
  );
  const List = isNarrow ? Cards : Rows;
  return h(
    Flex,
    { direction: "column", gap: 4 },
    h(Figures, { organisations }),
    organisations.length >= SEARCH_FROM &&
      h(Input, {
        "aria-label": "Search organisations",
        maxW: "sm",
        onChange: (event) => setSought(event.target.value),
        placeholder: "Search by name, person or state",
        type: "search",
        value: sought,
      }),
    found.length
      ? h(List, { organisations: found, onConnect })
      : h(Text, { color: "fg.muted", py: 6 }, "No organisation matches your search."),
  );
}

function Figures({ organisations }) {
  const active = organisations.filter((one) => one.state !== "disconnected");
  const days = active.map((one) => one.last_complete_day).filter(Boolean).sort();
  const attention = organisations.filter(needsAttention).length;
  const tiles = [
    ["Connected", active.length],
    ["Healthy", organisations.filter((one) => one.state === "healthy").length],
    ["Need attention", attention, attention ? "red.fg" : undefined],
    ["Latest complete day", dayOf(days.at(-1))],
  ];
  return h(
    SimpleGrid,
    { as: "dl", columns: { base: 2, lg: 4 }, gap: 3 },
    tiles.map(([label, value, color]) =>
      h(
        Flex,
        {
          ...PANEL,
          borderRadius: "lg",
          direction: "column-reverse",
          justify: "flex-end",
          key: label,
          px: 4,
          py: 3,
        },
        h(
          Text,
          { as: "dd", color, fontSize: "xl", fontVariantNumeric: "tabular-nums", fontWeight: 600 },
          value,
        ),
        h(Text, { as: "dt", color: "fg.muted", fontSize: "sm" }, label),
      ),
    ),
  );
}

function Rows({ organisations, onConnect }) {
  const heads = ["Organisation", "State", "Last complete day", "Connected by", ""];
  return h(
    Box,
    { ...PANEL, borderRadius: "lg", overflowX: "auto" },
    h(
      Table.Root,
      { "aria-label": "Connected organisations", bg: "transparent", size: "md" },
      h(
        Table.Header,
        null,
        h(
          Table.Row,
          { bg: { base: "bg.subtle", _dark: "whiteAlpha.50" } },
          heads.map((head) =>
            h(
              Table.ColumnHeader,
              {
                ...LINE,
                color: "fg.muted",
                fontSize: "sm",
                fontWeight: 500,
                key: head,
                scope: "col",
                whiteSpace: "nowrap",
              },
              head || h(HiddenText, null, "Actions"),
            ),
          ),
        ),
      ),
      h(
        Table.Body,
        null,
        organisations.map((one) => h(Row, { key: one.tenant_id, one, onConnect })),
      ),
    ),
  );
}

function Row({ one, onConnect }) {
  const cell = { ...LINE, bg: "transparent", verticalAlign: "top" };
  return h(
    Table.Row,
    { bg: "transparent" },
    h(
      Table.Cell,
      { ...cell, as: "th", fontWeight: 400, scope: "row", textAlign: "start" },
      h(Name, { one }),
    ),
    h(Table.Cell, cell, h(State, { one })),
    h(Table.Cell, { ...cell, whiteSpace: "nowrap" }, h(LastDay, { one })),
    h(Table.Cell, cell, h(ConnectedBy, { one })),
    h(Table.Cell, { ...cell, textAlign: "end" }, h(Reconnect, { one, onConnect })),
  );
}

function Cards({ organisations, onConnect }) {
  return h(
    Flex,
    {
      "aria-label": "Connected organisations",
      as: "ul",
      direction: "column",
      gap: 3,
      listStyleType: "none",
    },
    organisations.map((one) =>
      h(
        Card.Root,
        { ...PANEL, as: "li", key: one.tenant_id, size: "sm" },
        h(
          Card.Body,
          { gap: 3 },
          h(Name, { one }),
          h(State, { one }),
          h(
            SimpleGrid,
            { columns: 2, gap: 3 },
            h(Labelled, { label: "Last complete day" }, h(LastDay, { one })),
            h(Labelled, { label: "Connected by" }, h(ConnectedBy, { one })),
          ),
          h(Reconnect, { one, onConnect }),
        ),
      ),
    ),
  );
}

function Labelled({ label, children }) {
  return h(Box, null, h(Text, { color: "fg.muted", fontSize: "xs" }, label), children);
}

// Names come from Xero: React writes them as text, and <bdi> keeps their direction to themselves.
function Name({ one }) {
  return h(
    Flex,
    { align: "center", gap: 3 },
    h(
      Flex,
      {
        "aria-hidden": true,
        align: "center",
        bg: { base: "bg.muted", _dark: "whiteAlpha.200" },
        borderRadius: "full",
        boxSize: 9,
        color: "fg.muted",
        flexShrink: 0,
        fontWeight: 600,
        justify: "center",
      },
      initialOf(one.name),
    ),
    h(
      Text,
      { fontWeight: 600, lineClamp: 3, overflowWrap: "anywhere", title: one.name },
      h("bdi", null, one.name),
    ),
  );
}

function State({ one }) {
  const { label, palette } = stateOf(one);
  const explanation = explanationOf(one);
  return h(
    Flex,
    { align: "start", direction: "column", gap: 1, maxW: "sm" },
    h(
      Badge,
      { colorPalette: palette, gap: 1.5, px: 2, py: 0.5, size: "md", variant: "subtle" },
      one.state === "extracting"
        ? h(Spinner, { "aria-hidden": true, boxSize: 3, borderWidth: "1.5px" })
        : h(Box, { "aria-hidden": true, bg: "currentColor", borderRadius: "full", boxSize: 2 }),
      label,
    ),
    explanation &&
      h(Text, { color: "fg.muted", fontSize: "sm", overflowWrap: "anywhere" }, explanation),
  );
}

function LastDay({ one }) {
  return h(
    Box,
    null,
    h(Text, null, dayOf(one.last_complete_day)),
    one.last_extracted_at &&
      h(Small, { title: timeOf(one.last_extracted_at) }, `read ${agoOf(one.last_extracted_at)}`),
  );
}

function ConnectedBy({ one }) {
  return h(
    Box,
    null,
    h(Text, { overflowWrap: "anywhere" }, h("bdi", null, one.connected_by)),
    h(Small, { title: timeOf(one.connected_at) }, agoOf(one.connected_at)),
  );
}

function Small({ title, children }) {
  return h(Text, { color: "fg.muted", fontSize: "sm", title }, children);
}

function Reconnect({ one, onConnect }) {
  if (!onConnect || !canReconnect(one)) return null;
  return h(
    Button,
    {
      ...LINE,
      "aria-label": `Reconnect ${one.name}`,
      alignSelf: "start",
      onClick: onConnect,
      size: "sm",
      variant: "outline",
    },
    "Reconnect",
  );
}

export function HiddenText({ children, ...props }) {
  return h(
    Box,
    {
      clipPath: "inset(50%)",
      height: "1px",
      overflow: "hidden",
      position: "absolute",
      whiteSpace: "nowrap",
      width: "1px",
      ...props,
    },
    children,
  );
}

function useIsNarrow() {
  const [query] = useState(() => globalThis.matchMedia("(max-width: 800px)"));
  const [isNarrow, setIsNarrow] = useState(query.matches);
  useEffect(() => {
    const follow = () => setIsNarrow(query.matches);
    query.addEventListener("change", follow);
    return () => query.removeEventListener("change", follow);
  }, [query]);
  return isNarrow;
}
