// Four figures about all organisations: how many, how well, and how far. Draws what it is given.

import { PANEL } from "./look.js";
import { dayOf, needsAttention, numberOf } from "./words.js";

const { createElement: h } = globalThis.React;
const { Flex, SimpleGrid, Text } = globalThis.ChakraUI;

export function Figures({ cap, organisations }) {
  const active = organisations.filter((one) => one.state !== "disconnected");
  const days = active.map((one) => one.last_complete_day).filter(Boolean).sort();
  const attention = organisations.filter(needsAttention).length;
  const isFull = cap?.allowed != null && cap.used >= cap.allowed;
  const ofCap = cap?.allowed != null && `${cap.used} of the app's ${cap.allowed} connections`;
  const tiles = [
    ["Connected", numberOf(active.length), isFull ? "orange.fg" : undefined, ofCap],
    ["Healthy", numberOf(organisations.filter((one) => one.state === "healthy").length)],
    ["Need attention", numberOf(attention), attention ? "red.fg" : undefined],
    ["Latest complete day", days.length ? dayOf(days.at(-1)) : "None yet"],
  ];
  return h(
    SimpleGrid,
    { as: "dl", columns: { base: 2, lg: 4 }, gap: 3 },
    tiles.map(([label, value, color, remark]) =>
      h(
        Flex,
        {
          ...PANEL,
          borderRadius: "lg",
          direction: "column",
          key: label,
          px: 4,
          py: 3,
        },
        h(Text, { as: "dt", color: "fg.muted", fontSize: "sm" }, label),
        h(
          Text,
          { as: "dd", color, fontSize: "xl", fontVariantNumeric: "tabular-nums", fontWeight: 600 },
          value,
          remark && h(Text, { as: "span", color: "fg.muted", fontSize: "sm", ms: 2 }, remark),
        ),
      ),
    ),
  );
}
