// The organisations as a table or, on a phone, as cards. Draws what it is given.

import { HiddenText, LINE, PANEL, useIsNarrow } from "./look.js";
import {
  agoOf,
  canReconnect,
  dayOf,
  explanationOf,
  initialOf,
  stateOf,
  timeOf,
} from "./words.js";

const { createElement: h, useState } = globalThis.React;
const { Badge, Box, Button, Card, Flex, Input, SimpleGrid, Spinner, Table, Text } =
  globalThis.ChakraUI;

const SEARCH_FROM = 8;
const SHOWN_AT_ONCE = 50;

export function Organisations({ organisations, onConnect }) {
  const [sought, setSought] = useState("");
  const [most, setMost] = useState(SHOWN_AT_ONCE);
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
      ? h(List, { organisations: found.slice(0, most), onConnect })
      : h(Text, { color: "fg.muted", py: 6 }, "No organisation matches your search."),
    found.length > most &&
      h(
        Flex,
        { align: "center", gap: 3 },
        h(
          Button,
          { ...LINE, onClick: () => setMost(most + SHOWN_AT_ONCE), variant: "outline" },
          "Show more",
        ),
        h(Text, { color: "fg.muted", fontSize: "sm" }, `${most} of ${found.length} shown`),
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
        { css: { "& tr:last-of-type > *": { borderBottomWidth: 0 } } },
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
