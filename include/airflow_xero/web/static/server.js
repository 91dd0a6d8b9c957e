// What the page asks of the server and tells it, and how often. Draws nothing.

import { AIRFLOW_URL, XERO_URL, isBusy } from "./words.js";

const { useCallback, useEffect, useRef, useState } = globalThis.React;

const BUSY_SECONDS = 2;
const QUIET_SECONDS = 30;
const FRESH_SECONDS = 90;
const MOST_ASKED = 50;

// Asked for as soon as this script is there, and not first when the page is drawn.
let first = readStatus([]);
const FIRST_UNTIL = Date.now() + 10_000;

/** The server's answer; what is under way is asked for again every few seconds, alone. */
export function useStatus() {
  const [answer, setAnswer] = useState({});
  const kept = useRef({});
  const timer = useRef();
  const read = useCallback(async (isWhole) => {
    clearTimeout(timer.current);
    const { organisations = [], wholeAt = 0 } = kept.current;
    const busy = organisations.filter(mayMove).slice(0, MOST_ASKED).map((one) => one.tenant_id);
    const isDue = isWhole || !busy.length || Date.now() - wholeAt > QUIET_SECONDS * 1000;
    const news = globalThis.document.hidden ? {} : await (takeFirst() ?? readStatus(isDue ? [] : busy));
    kept.current = merged(kept.current, news, isDue ? null : new Set(busy));
    setAnswer(kept.current);
    if (timer.current === null || news.problem?.status === 403) return;
    const moves = !news.problem && kept.current.organisations?.some(mayMove);
    timer.current = setTimeout(read, (moves ? BUSY_SECONDS : QUIET_SECONDS) * 1000);
  }, []);
  const reload = useCallback(() => read(true), [read]);
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

/** The answer that was asked for ahead: once, and not if nobody looked at it for long. */
function takeFirst() {
  const taken = Date.now() < FIRST_UNTIL ? first : undefined;
  first = undefined;
  return taken;
}

/** Whether its state may change by itself within seconds: read now, or only just connected. */
const mayMove = (one) =>
  isBusy(one) ||
  (one.state === "never_extracted" &&
    Date.now() - new Date(one.connected_at).getTime() < FRESH_SECONDS * 1000);

/** Of a partial answer only `asked` is news; who was asked for and did not come is gone. */
function merged(old, news, asked) {
  if (!asked || news.problem || !news.organisations) {
    return { ...old, ...news, ...(news.organisations && { wholeAt: Date.now() }) };
  }
  const fresh = new Map(news.organisations.map((one) => [one.tenant_id, one]));
  const organisations = old.organisations
    .map((one) => (asked.has(one.tenant_id) ? moved(one, fresh.get(one.tenant_id)) : one))
    .filter(Boolean);
  return { ...old, organisations, problem: undefined, readAt: news.readAt };
}

// The tie-out comes with whole answers, and of those that were just read well.
const moved = (one, fresh) => fresh && { tie_out: one.tie_out, ...fresh };

async function readStatus(tenantIds) {
  const url = new URL("api/organisations", XERO_URL);
  tenantIds.forEach((tenantId) => url.searchParams.append("tenant_id", tenantId));
  const { body, problem } = await ask(url);
  if (problem || !body) return { problem };
  return {
    cap: body.cap,
    choices: body.choices,
    endpoints: body.endpoints,
    isCustom: body.is_custom,
    isReadOnly: body.is_read_only,
    isDailyPaused: body.is_daily_paused,
    mayConnect: body.may_connect,
    mayErase: body.may_erase,
    mayExtract: body.may_extract,
    nextNightAt: body.next_night_at,
    organisations: body.organisations,
    problem: undefined,
    readAt: new Date().toISOString(),
    returnTo: body.return_to,
  };
}

/** Change something; the answer's `body`, or a `problem` in the server's words. */
export const act = (path, body = {}, method = "POST") =>
  ask(new URL(`api/${path}`, XERO_URL), {
    body: JSON.stringify(body),
    // Only this script can send the second: the login's cookie alone changes nothing.
    headers: { "content-type": "application/json", "x-xero-page": "1" },
    method,
  });

export const readInvitations = () => ask(new URL("api/invitations", XERO_URL));

async function ask(url, request) {
  try {
    const response = await fetch(url, { cache: "no-store", ...request });
    if (response.status === 401) return logIn();
    const body = await response.json();
    if (response.ok) return { body };
    const message = typeof body.detail === "string" ? body.detail : "That was not understood.";
    const { may_go_on: mayGoOn, title } = body;
    return { problem: { mayGoOn, message, status: response.status, title } };
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

/**
 * Leave for Xero; resolves to a `problem` where nobody leaves. What changes something here is asked
 * of the server: a Custom Connection is connected at once, and a page at another address is handed
 * over to the one that Xero returns to.
 */
export async function goToXero({ grants, isCustom, isSure = false, returnTo } = {}) {
  if (isCustom || (returnTo && new URL(returnTo).href !== XERO_URL.href)) {
    const { body, problem } = await act("connect", { full: isSure, grants: grants ?? null });
    if (body) globalThis.location.assign(body.url);
    return problem;
  }
  const url = new URL("connect", XERO_URL);
  // Nothing chosen is not the same as nobody asked: that is everything.
  if (grants && !grants.length) url.searchParams.append("grant", "");
  grants?.forEach((grant) => url.searchParams.append("grant", grant));
  globalThis.location.assign(url);
  return undefined;
}
