// The page "Xero" in Airflow: connect organisations, and see how each is doing.
//
// Airflow loads this module and draws globalThis["Xero"] inside its own shell, with its own React
// and its Chakra theme (light and dark). There is no build step: createElement instead of JSX.

import { Figures } from "./figures.js";
import { Granting, offered } from "./granting.js";
import { Inviting } from "./inviting.js";
import { HIDDEN, Live, Notice, OutlineButton, Small } from "./look.js";
import { useNews } from "./news.js";
import { Organisations } from "./organisations.js";
import { goToXero, useStatus } from "./server.js";
import { Empty, Loading, Problem, Welcome, useConnected } from "./welcome.js";
import { AIRFLOW_URL, XERO_URL, agoOf } from "./words.js";

const { createElement: h, useCallback, useMemo, useRef, useState } = globalThis.React;
const { Box, Button, Flex, Heading, Link, Text } = globalThis.ChakraUI;

function Xero() {
  const status = useStatus();
  const { organisations, problem, readAt, reload } = status;
  const connected = useConnected();
  const [isInviting, setIsInviting] = useState(false);
  const [told, setTold] = useState(null);
  const connecting = useConnecting(status, setTold);
  const news = useNews(status);
  const onDone = useCallback(
    (answer, one) => {
      setTold(toldBy(answer, one));
      reload();
    },
    [reload],
  );
  const may = useMemo(
    () => ({ connect: status.mayConnect, erase: status.mayErase, extract: status.mayExtract }),
    [status.mayConnect, status.mayErase, status.mayExtract],
  );
  const notice = told && h(Notice, { ...told, key: "told", onClose: () => setTold(null) }, told.message);
  const some = organisations?.length > 0;
  const { start: onConnect, reconnect: onReconnect } = connecting;
  return h(
    Box,
    {
      bg: "bg",
      "data-page": "xero",
      height: "100%",
      overflowY: "auto",
      // What only a screen reader hears is placed in here, and must not make the window longer.
      position: "relative",
      px: { base: 4, md: 8 },
      py: 6,
    },
    h(
      Flex,
      { direction: "column", gap: 5, maxW: "8xl", mx: "auto" },
      h(Top, {
        isForbidden: problem?.status === 403,
        onConnect,
        // Nobody can be invited to a Custom Connection: it has one organisation, and no consent.
        onInvite: may.connect && !status.isCustom ? () => setIsInviting(true) : undefined,
      }),
      h(
        Live,
        { "aria-atomic": false, display: "flex", flexDirection: "column", gap: 5 },
        connected.count > 0 && h(Welcome, { ...connected, key: "welcome", organisations }),
        told && told.status !== "error" && notice,
      ),
      told?.status === "error" && notice,
      h(Live, HIDDEN, news),
      some && status.isDailyPaused && h(SwitchedOff),
      problem && h(Problem, { isStale: Boolean(organisations), problem, reload }),
      !organisations && !problem && h(Loading),
      organisations?.length === 0 &&
        h(Empty, { isCustom: status.isCustom }, h(ConnectButton, { onConnect, size: "lg" })),
      some && h(Figures, { cap: status.cap, organisations }),
      some &&
        h(Organisations, {
          endpoints: status.endpoints,
          may,
          nextNightAt: status.nextNightAt,
          onDone,
          onReconnect,
          organisations,
        }),
      some && h(Small, null, footnote(readAt, status)),
      connecting.question,
      isInviting &&
        h(Inviting, { choices: status.choices ?? [], onClose: () => setIsInviting(false) }),
    ),
  );
}

function SwitchedOff() {
  const dag = new URL("dags/xero_daily", AIRFLOW_URL);
  return h(
    Notice,
    { status: "warning", title: "No night is planned: the Dag xero_daily is switched off" },
    h(Link, { href: dag.pathname, textDecoration: "underline" }, "Switch it on in Airflow"),
    " to read every organisation every day.",
  );
}

// What a title would tell, that no finger and no keyboard opens.
const footnote = (readAt, { isCustom }) =>
  `Updated ${agoOf(readAt)}. A day is complete once every part of an organisation was read. ` +
  "Tie-out: whether the figures agree with Xero's own reports. " +
  (isCustom ? "" : "Access ends when nothing uses it for 60 days; every run uses it.");

const toldBy = ({ body, problem }, one) =>
  problem
    ? { message: problem.message, status: "error", title: `${one.name}: not done` }
    : body && { status: "success", title: body.message };

/** Connect and reconnect: what to grant is asked before Xero is, where there is a choice. */
function useConnecting({ cap, choices, isCustom, isReadOnly, mayConnect, returnTo }, tell) {
  const [asked, setAsked] = useState(null);
  const isGoing = useRef(false);
  const go = useCallback(
    async (wished) => {
      if (isGoing.current) return;
      isGoing.current = true;
      const problem = await goToXero({ ...wished, isCustom, returnTo });
      isGoing.current = false;
      if (!problem) return;
      setAsked(null);
      const goAllTheSame = { onClick: () => go({ ...wished, isSure: true }), size: "sm" };
      tell({
        action: problem.mayGoOn && h(OutlineButton, goAllTheSame, "Go on to Xero all the same"),
        message: problem.message,
        status: "error",
        title: problem.title ?? "Not connected",
      });
    },
    [isCustom, returnTo, tell],
  );
  const begin = useCallback(
    (name) => (offered(choices).length ? setAsked({ name }) : go({})),
    [choices, go],
  );
  const reconnect = useCallback((one) => begin(one.name), [begin]);
  const question =
    asked &&
    h(Granting, {
      cap,
      choices,
      isReadOnly,
      name: asked.name,
      onClose: () => setAsked(null),
      onGo: (grants) => go({ grants }),
    });
  return { question, reconnect, start: mayConnect ? () => begin() : undefined };
}

function Top({ onConnect, onInvite, isForbidden }) {
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
      onInvite && h(OutlineButton, { onClick: onInvite }, "Invite…"),
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
  return h(OutlineButton, { asChild: true }, h("a", { href: href.pathname }, children));
}

function ConnectButton({ onConnect, ...props }) {
  return h(
    Button,
    { colorPalette: "brand", disabled: !onConnect, onClick: onConnect, ...props },
    "Connect to Xero",
  );
}

globalThis["Xero"] = Xero;
