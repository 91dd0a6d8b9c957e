// One organisation as a row of the table or as a card: what is known of it. Draws what it is given.

import { HiddenText, LINE, PANEL, Small, Unknown } from "./look.js";
import { RowActions } from "./row_actions.js";
import {
  agoOf,
  counted,
  dayOf,
  endOfGrant,
  explanationOf,
  initialOf,
  isBusy,
  nextRunOf,
  numberOf,
  placeOf,
  stateOf,
  timeOf,
} from "./words.js";

const { createElement: h, memo } = globalThis.React;
const { Badge, Box, Button, Card, Flex, Progress, SimpleGrid, Spinner, Table, Text } =
  globalThis.ChakraUI;

export const HEADS = [
  ["name", "Organisation"],
  ["state", "State"],
  ["day", "Last complete day"],
  ["tie_out", "Tie-out"],
  ["calls", "Calls left today"],
  ["access", "Connected by"],
];

export function Rows({ organisations, sort, onSort, ...shown }) {
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
          HEADS.map(([by, label]) => h(Head, { by, key: by, label, onSort, sort })),
          h(Table.ColumnHeader, { ...LINE, scope: "col" }, h(HiddenText, null, "Actions")),
        ),
      ),
      h(
        Table.Body,
        { css: { "& tr:last-of-type > *": { borderBottomWidth: 0 } } },
        organisations.map((one) => h(Row, { ...shown, key: one.tenant_id, one })),
      ),
    ),
  );
}

function Head({ by, label, onSort, sort }) {
  const isSorted = sort.by === by;
  const arrow = isSorted ? (sort.isDown ? "↓" : "↑") : "";
  return h(
    Table.ColumnHeader,
    {
      ...LINE,
      "aria-sort": isSorted ? (sort.isDown ? "descending" : "ascending") : "none",
      px: 2,
      scope: "col",
      verticalAlign: "bottom",
    },
    h(
      Button,
      {
        color: "fg.muted",
        fontWeight: 500,
        gap: 1,
        height: "auto",
        minH: 9,
        onClick: () => onSort({ by, isDown: isSorted && !sort.isDown }),
        px: { base: 1, "2xl": 2 },
        py: 1,
        size: "sm",
        textAlign: "start",
        variant: "ghost",
        // Two lines of words take less than a column that nobody sees.
        whiteSpace: label.includes(" ") ? "normal" : "nowrap",
      },
      label,
      h(Box, { "aria-hidden": true, as: "span", width: "0.8em" }, arrow),
    ),
  );
}

const CELL = { ...LINE, bg: "transparent", px: { base: 3, "2xl": 4 }, verticalAlign: "top" };

// Fifty of them are not drawn anew because one of them moved.
const Row = memo(function Row({ one, ...shown }) {
  return h(
    Table.Row,
    { bg: "transparent" },
    h(
      Table.Cell,
      { ...CELL, as: "th", fontWeight: 400, minW: { base: "4xs", "2xl": "3xs" }, scope: "row", textAlign: "start" },
      h(Name, { one }),
    ),
    h(Table.Cell, CELL, h(State, { endpoints: shown.endpoints, one })),
    h(Table.Cell, { ...CELL, whiteSpace: "nowrap" }, h(LastDay, { nextNightAt: shown.nextNightAt, one })),
    h(Table.Cell, { ...CELL, whiteSpace: "nowrap" }, h(TieOut, { one })),
    h(Table.Cell, { ...CELL, whiteSpace: "nowrap" }, h(Calls, { one })),
    h(Table.Cell, CELL, h(Access, { one })),
    h(
      Table.Cell,
      { ...CELL, textAlign: "end", whiteSpace: "nowrap" },
      h(RowActions, { ...shown, one }),
    ),
  );
});

export function Cards({ organisations, ...shown }) {
  return h(
    Flex,
    {
      "aria-label": "Connected organisations",
      as: "ul",
      direction: "column",
      gap: 3,
      listStyleType: "none",
      // Safari takes a list without marks for none.
      role: "list",
    },
    organisations.map((one) => h(OneCard, { ...shown, key: one.tenant_id, one })),
  );
}

const OneCard = memo(function OneCard({ one, ...shown }) {
  return h(
    Card.Root,
    { ...PANEL, as: "li", size: "sm" },
    h(
      Card.Body,
      { gap: 3 },
      h(Name, { one }),
      h(State, { endpoints: shown.endpoints, one }),
      h(
        SimpleGrid,
        { columns: 2, gap: 3 },
        h(Labelled, { label: "Last complete day" }, h(LastDay, { nextNightAt: shown.nextNightAt, one })),
        h(Labelled, { label: "Connected by" }, h(Access, { one })),
        h(Labelled, { label: "Tie-out" }, h(TieOut, { one })),
        h(Labelled, { label: "Calls left today" }, h(Calls, { one })),
      ),
      h(RowActions, { ...shown, isCard: true, one }),
    ),
  );
});

function Labelled({ label, children }) {
  return h(Box, { minW: 0 }, h(Text, { color: "fg.muted", fontSize: "xs" }, label), children);
}

// Names come from Xero: React writes them as text, and <bdi> keeps their direction to themselves.
function Name({ one }) {
  const place = placeOf(one);
  return h(
    Flex,
    { align: "start", gap: 3 },
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
      Box,
      { minW: 0 },
      h(
        Text,
        { fontWeight: 600, lineClamp: 3, overflowWrap: "anywhere", title: one.name },
        h("bdi", null, one.name),
      ),
      place && h(Small, null, place),
    ),
  );
}

function State({ one, endpoints }) {
  const { label, palette } = stateOf(one);
  const explanation = explanationOf(one);
  return h(
    Flex,
    { align: "start", direction: "column", gap: 1, maxW: "xs", minW: { md: "10rem" } },
    h(
      Badge,
      { colorPalette: palette, gap: 1.5, px: 2, py: 0.5, size: "md", variant: "subtle" },
      isBusy(one)
        ? h(Spinner, { "aria-hidden": true, boxSize: 3, borderWidth: "1.5px" })
        : h(Box, { "aria-hidden": true, bg: "currentColor", borderRadius: "full", boxSize: 2 }),
      label,
    ),
    one.state === "extracting" && h(HowFar, { endpoints, one }),
    explanation &&
      h(Small, { lineClamp: 8, overflowWrap: "anywhere", title: explanation }, explanation),
  );
}

/** How far an extraction is: parts of all parts, and records. */
function HowFar({ one, endpoints }) {
  if (one.records_read === undefined || !endpoints) return null;
  const done = Math.min(one.endpoints_read, endpoints);
  return h(
    Progress.Root,
    {
      colorPalette: "blue",
      max: endpoints,
      size: "xs",
      value: done,
      width: "full",
    },
    h(Progress.Track, { "aria-label": `Extraction of ${one.name}` }, h(Progress.Range)),
    h(
      Small,
      { mt: 1 },
      `${done} of ${endpoints} parts, ${counted(one.records_read, "record", "records")}`,
    ),
  );
}

function LastDay({ one, nextNightAt }) {
  const next = nextRunOf(one, nextNightAt);
  return h(
    Box,
    null,
    one.last_complete_day
      ? h(Text, null, dayOf(one.last_complete_day))
      : h(Unknown, { words: "None complete yet" }),
    one.last_extracted_at &&
      h(Small, { title: timeOf(one.last_extracted_at) }, `read ${agoOf(one.last_extracted_at)}`),
    next && h(Small, { title: nextNightAt && timeOf(nextNightAt) }, next),
  );
}

function TieOut({ one }) {
  if (!one.tie_out) return h(Unknown, { words: "Not compared with Xero's reports yet" });
  const { broken_lines: broken, day } = one.tie_out;
  const words = broken ? `${counted(broken, "line differs", "lines differ")}` : "Agrees";
  return h(
    Box,
    null,
    h(Text, { color: broken ? "red.fg" : "green.fg" }, words),
    h(Small, null, dayOf(day)),
  );
}

function Calls({ one }) {
  return one.calls_left === undefined
    ? h(Unknown, { words: "Xero was not asked today (UTC)" })
    : h(Text, { fontVariantNumeric: "tabular-nums" }, numberOf(one.calls_left));
}

function Access({ one }) {
  const end = endOfGrant(one);
  return h(
    Box,
    null,
    h(Text, { overflowWrap: "anywhere" }, h("bdi", null, one.connected_by)),
    h(Small, { title: timeOf(one.connected_at) }, agoOf(one.connected_at)),
    one.xero_user &&
      h(Small, { overflowWrap: "anywhere", title: "Who gave the access at Xero" }, "as ", h("bdi", null, one.xero_user)),
    end &&
      h(
        Small,
        { color: end.isSoon ? "red.fg" : "fg.muted", title: END_OF_GRANT, whiteSpace: { "2xl": "nowrap" } },
        end.text,
      ),
  );
}

const END_OF_GRANT = "Xero ends a consent that nobody used for 60 days; every run uses it.";
