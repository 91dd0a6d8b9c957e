// What the page says where there are no organisations to show, or after somebody came back from Xero.

import { Notice, OutlineButton, PANEL } from "./look.js";
import { AIRFLOW_URL, counted } from "./words.js";

const { createElement: h, useEffect, useState } = globalThis.React;
const { Box, Flex, Heading, Link, Skeleton, Text } = globalThis.ChakraUI;

const NAMED = 5;

/** What this person's consent connected a moment ago, by name where the list knows it. */
export function Welcome({ count, already, dismiss, organisations = [], reading, tenants }) {
  if (!count) return null;
  const names = organisations
    .filter((one) => tenants.includes(one.tenant_id))
    .map((one) => one.name);
  return h(
    Notice,
    {
      onClose: dismiss,
      status: "success",
      title: `${counted(count, "organisation is", "organisations are")} connected`,
    },
    names.length > 0 && names.length <= NAMED && h(Text, null, h("bdi", null, names.join(", "))),
    h(
      Text,
      null,
      whenRead(reading),
      already > 0 &&
        ` ${counted(already, "of them was", "of them were")} connected already by another Xero user; each is extracted once.`,
    ),
  );
}

/** When it is read: a Dag that is off, or a pause, keeps it from being read at once. */
function whenRead(reading) {
  if (reading === "paused") return "It is still paused: it is read once somebody resumes it.";
  if (reading !== "later") return "What is new is read at once; from then on every day.";
  const dag = new URL("dags/xero_extract", AIRFLOW_URL);
  return [
    "What is new is read with the next night: the Dag xero_extract, which reads it at once, is switched off or not ready. ",
    h(Link, { href: dag.pathname, key: "dag", textDecoration: "underline" }, "Look at it in Airflow"),
    ".",
  ];
}

/** How many organisations the consent that just ended reached; null when none ended. */
export function useConnected() {
  const [given, setGiven] = useState(() => {
    const asked = new URLSearchParams(globalThis.location.search);
    return {
      already: countIn(asked.get("already")) ?? 0,
      count: countIn(asked.get("connected")),
      reading: asked.get("reading"),
      tenants: asked.getAll("tenant"),
    };
  });
  useEffect(() => {
    // The notice belongs to this visit: a reload or a bookmark should not repeat it.
    const { history, location } = globalThis;
    if (location.search) history.replaceState(history.state, "", location.pathname);
  }, []);
  return { ...given, dismiss: () => setGiven({ already: 0, count: null, tenants: [] }) };
}

const countIn = (text) => (/^\d{1,4}$/.test(text ?? "") ? Number(text) : null);

export function Problem({ problem, isStale, reload }) {
  const isForbidden = problem.status === 403;
  const title = isForbidden ? "Not permitted" : "The organisations cannot be shown";
  return h(
    Notice,
    {
      action: !isForbidden && h(OutlineButton, { onClick: reload, size: "sm" }, "Try again"),
      status: isForbidden ? "info" : "error",
      title: isStale ? "The list could not be updated" : title,
    },
    problem.message,
  );
}

export function Loading() {
  return h(
    Flex,
    { "aria-busy": true, direction: "column", gap: 3 },
    h(Skeleton, { borderRadius: "lg", height: 20 }),
    [1, 2, 3].map((row) => h(Skeleton, { borderRadius: "lg", height: 14, key: row })),
  );
}

const stepsOf = (isCustom) => [
  [
    "Connect",
    isCustom
      ? "Press the button once the organisation's owner has authorised the app at Xero."
      : "Log in at Xero and choose the organisations to read. It only takes a minute.",
  ],
  ["Read", "Every day each organisation is read into Postgres. Xero is never changed."],
  ["Use", "Daily statistics are ready for your BI tool, with every organisation in one place."],
];

export function Empty({ children, isCustom }) {
  return h(
    Flex,
    {
      align: "center",
      ...PANEL,
      borderRadius: "xl",
      direction: "column",
      gap: 6,
      px: 6,
      py: { base: 8, md: 12 },
      textAlign: "center",
    },
    h(
      Box,
      { maxW: "lg" },
      h(Heading, { as: "h2", size: "lg" }, "No organisation is connected yet"),
      h(
        Text,
        { color: "fg.muted", mt: 2 },
        isCustom
          ? "This app is a Custom Connection: it opens one organisation, without anybody's login."
          : "Anyone with access to a Xero organisation can connect it here, as many as you like.",
      ),
    ),
    children,
    h(
      Flex,
      {
        as: "ol",
        direction: { base: "column", md: "row" },
        gap: { base: 4, md: 8 },
        listStyleType: "none",
        maxW: "4xl",
        textAlign: "start",
      },
      stepsOf(isCustom).map(([title, text], index) =>
        h(
          Box,
          { as: "li", flex: 1, key: title },
          h(Text, { fontWeight: 600 }, `${index + 1}. ${title}`),
          h(Text, { color: "fg.muted", fontSize: "sm", mt: 1 }, text),
        ),
      ),
    ),
  );
}
