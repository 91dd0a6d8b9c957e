// The page "Xero" in Airflow: connect organisations, and see how each is doing.
//
// Airflow loads this module and draws globalThis["Xero"] inside its own shell, with its own React
// and its Chakra theme (light and dark). There is no build step: createElement instead of JSX.

import { Figures } from "./figures.js";
import { HiddenText, LINE, PANEL } from "./look.js";
import { Organisations } from "./organisations.js";
import { AIRFLOW_URL, XERO_URL, agoOf, counted } from "./words.js";

const { createElement: h, useCallback, useEffect, useRef, useState } = globalThis.React;
const { Alert, Box, Button, CloseButton, Flex, Heading, Link, Skeleton, Text } =
  globalThis.ChakraUI;

const BUSY_SECONDS = 3;
const QUIET_SECONDS = 30;
const BUSY_STATES = new Set(["extracting", "new"]);

function Xero() {
  const { organisations, mayConnect, returnOrigin, problem, readAt, reload } = useStatus();
  const connected = useConnected();
  const isElsewhere = Boolean(returnOrigin) && returnOrigin !== globalThis.location.origin;
  const onConnect = mayConnect && !isElsewhere ? connect : undefined;
  const isFirstRead = !organisations && !problem;
  return h(
    Box,
    { bg: "bg", height: "100%", overflowY: "auto", px: { base: 4, md: 8 }, py: 6 },
    h(
      Flex,
      { direction: "column", gap: 5, maxW: "7xl", mx: "auto" },
      h(Top, { onConnect, isForbidden: problem?.status === 403 }),
      h(Welcome, connected),
      isElsewhere && mayConnect && h(Elsewhere, { returnOrigin }),
      problem && h(Problem, { problem, isStale: Boolean(organisations), reload }),
      isFirstRead && h(Loading),
      organisations?.length === 0 && h(Empty, { onConnect }),
      organisations?.length > 0 && h(Figures, { organisations }),
      organisations?.length > 0 && h(Organisations, { organisations, onConnect }),
      organisations?.length > 0 && h(Text, { color: "fg.muted", fontSize: "sm" }, footnote(readAt)),
    ),
  );
}

const footnote = (readAt) =>
  `Updated ${agoOf(readAt)}. Days are complete once every part of an organisation was read.`;

const connect = () => globalThis.location.assign(new URL("connect", XERO_URL));

function Top({ onConnect, isForbidden }) {
  return h(
    Flex,
    { align: { base: "stretch", md: "center" }, direction: { base: "column", md: "row" }, gap: 4 },
    h(
      Box,
      { flex: 1 },
      h(Heading, { as: "h1", size: "2xl" }, "Xero"),
      h(
        Text,
        { color: "fg.muted", mt: 1 },
        "Every connected organisation, every day, in your own Postgres.",
      ),
    ),
    h(
      Flex,
      { as: "nav", "aria-label": "Xero", align: "center", gap: 2, wrap: "wrap" },
      h(LinkButton, { href: new URL("dags/xero_daily/runs", AIRFLOW_URL) }, "Daily runs"),
      h(LinkButton, { href: new URL("docs", XERO_URL) }, "Data documentation"),
      !isForbidden &&
        // First and wide under the thumb, last and in line under the mouse.
        h(ConnectButton, {
          onConnect,
          order: { base: -1, md: 0 },
          width: { base: "full", md: "auto" },
        }),
    ),
  );
}

function LinkButton({ href, children }) {
  return h(
    Button,
    { ...LINE, asChild: true, variant: "outline" },
    h("a", { href: href.pathname }, children),
  );
}

function ConnectButton({ onConnect, ...props }) {
  return h(
    Button,
    { colorPalette: "brand", disabled: !onConnect, onClick: onConnect, ...props },
    "Connect to Xero",
  );
}

function Welcome({ count, dismiss }) {
  if (count === null) return null;
  const isNone = count === 0;
  return h(
    Notice,
    {
      status: isNone ? "warning" : "success",
      title: isNone
        ? "No organisation was connected"
        : `${counted(count, "organisation is", "organisations are")} connected`,
      onClose: dismiss,
    },
    isNone
      ? "Press Connect to Xero again and choose at least one organisation."
      : "The first extraction starts with the next daily run.",
  );
}

function Elsewhere({ returnOrigin }) {
  const page = new URL(globalThis.location.pathname, returnOrigin);
  return h(
    Notice,
    { status: "warning", title: "Open this page at Airflow's own address to connect" },
    "Xero sends you back to ",
    h(Link, { href: page.href, textDecoration: "underline" }, page.href),
    ", so the consent has to start there.",
  );
}

function Problem({ problem, isStale, reload }) {
  const isForbidden = problem.status === 403;
  const title = isForbidden ? "Not permitted" : "The organisations cannot be shown";
  return h(
    Notice,
    {
      status: isForbidden ? "info" : "error",
      title: isStale ? "The list could not be updated" : title,
      action:
        !isForbidden &&
        h(Button, { ...LINE, onClick: reload, size: "sm", variant: "outline" }, "Try again"),
    },
    problem.message,
  );
}

function Notice({ status, title, action, onClose, children }) {
  return h(
    Alert.Root,
    { alignItems: "start", role: status === "error" ? "alert" : "status", status },
    h(Alert.Indicator),
    h(
      Alert.Content,
      { minW: 0 },
      h(Alert.Title, null, title),
      h(Alert.Description, { overflowWrap: "anywhere" }, children),
      action && h(Box, { mt: 2 }, action),
    ),
    onClose && h(CloseButton, { "aria-label": "Dismiss", mt: -1, onClick: onClose, size: "sm" }),
  );
}

function Loading() {
  return h(
    Flex,
    { "aria-busy": true, direction: "column", gap: 3 },
    h(HiddenText, { role: "status" }, "Loading the organisations"),
    h(Skeleton, { borderRadius: "lg", height: 20 }),
    [1, 2, 3].map((row) => h(Skeleton, { borderRadius: "lg", height: 14, key: row })),
  );
}

function Empty({ onConnect }) {
  const steps = [
    ["Connect", "Log in at Xero and choose the organisations to read. It only takes a minute."],
    ["Read", "Every day each organisation is read into Postgres. Xero is never changed."],
    ["Use", "Daily statistics are ready for your BI tool, with every organisation in one place."],
  ];
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
        "Anyone with access to a Xero organisation can connect it here, as many as you like.",
      ),
    ),
    h(ConnectButton, { onConnect, size: "lg" }),
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
      steps.map(([title, text], index) =>
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

/** How many organisations the consent that just ended reached; null when none ended. */
function useConnected() {
  const [count, setCount] = useState(() => {
    const given = new URLSearchParams(globalThis.location.search).get("connected");
    return /^\d{1,4}$/.test(given ?? "") ? Number(given) : null;
  });
  useEffect(() => {
    // The notice belongs to this visit: a reload or a bookmark should not repeat it.
    const { history, location } = globalThis;
    if (location.search) history.replaceState(history.state, "", location.pathname);
  }, []);
  return { count, dismiss: () => setCount(null) };
}

/** The server's answer, asked again every few seconds while something is under way. */
function useStatus() {
  const [answer, setAnswer] = useState({});
  const timer = useRef();
  const reload = useCallback(async () => {
    clearTimeout(timer.current);
    const news = globalThis.document.hidden ? {} : await readStatus();
    setAnswer((old) => ({ ...old, ...news }));
    const isBusy = news.organisations?.some((one) => BUSY_STATES.has(one.state));
    if (timer.current === null || news.problem?.status === 403) return;
    timer.current = setTimeout(reload, (isBusy ? BUSY_SECONDS : QUIET_SECONDS) * 1000);
  }, []);
  useEffect(() => {
    const whenShown = () => globalThis.document.hidden || reload();
    timer.current = undefined;
    reload();
    globalThis.document.addEventListener("visibilitychange", whenShown);
    return () => {
      clearTimeout(timer.current);
      timer.current = null;
      globalThis.document.removeEventListener("visibilitychange", whenShown);
    };
  }, [reload]);
  return { ...answer, reload };
}

async function readStatus() {
  try {
    const response = await fetch(new URL("api/organisations", XERO_URL), { cache: "no-store" });
    if (response.status === 401) return logIn();
    const body = await response.json();
    if (!response.ok) return { problem: { message: String(body.detail), status: response.status } };
    return {
      mayConnect: body.may_connect,
      organisations: body.organisations,
      problem: undefined,
      readAt: new Date().toISOString(),
      returnOrigin: body.return_origin,
    };
  } catch {
    return { problem: { message: "Airflow's web server does not answer.", status: 0 } };
  }
}

function logIn() {
  const login = new URL("api/v2/auth/login", AIRFLOW_URL);
  login.searchParams.set("next", globalThis.location.href);
  globalThis.location.replace(login);
  return {};
}

globalThis["Xero"] = Xero;
