// The words of the page: states, days and times. Knows nothing of React or of the server.

// This file is served below <Airflow>/xero/static/, whatever Airflow's base path is.
const OURS = import.meta.url.slice(0, import.meta.url.lastIndexOf("/static/") + 1);
export const XERO_URL = new URL(OURS);
export const AIRFLOW_URL = new URL("../", OURS);

// In the order of who needs a person first: so they are sorted, too.
const STATES = {
  needs_reconnect: { label: "Needs reconnect", palette: "red" },
  not_permitted: { label: "Not permitted", palette: "red" },
  failed: { label: "Failed", palette: "red" },
  tie_out_broken: { label: "Tie-out broken", palette: "red" },
  waiting_for_limit: { label: "Waiting for Xero", palette: "orange" },
  erasing: { label: "Erasing", palette: "orange" },
  extracting: { label: "Extracting", palette: "blue" },
  starting: { label: "Starting", palette: "blue" },
  never_extracted: { label: "Never extracted", palette: "purple" },
  healthy: { label: "Healthy", palette: "green" },
  paused: { label: "Paused", palette: "gray" },
  disconnected: { label: "Disconnected", palette: "gray" },
};
const ORDER = Object.keys(STATES);
const NEEDS_A_PERSON = new Set(["needs_reconnect", "not_permitted", "failed", "tie_out_broken"]);
const BUSY = new Set(["extracting", "starting", "erasing"]);
const NOT_READ = new Set(["disconnected", "erasing", "needs_reconnect", "paused"]);
const ENDS_SOON_DAYS = 14;
const BY_INVITATION = / \(by invitation\)$/;

/** The state as a person sees it: what was asked for is starting until it is under way. */
export const shownState = (one) =>
  one.is_asked && one.state !== "extracting" && !NOT_READ.has(one.state) ? "starting" : one.state;

export const stateOf = (one) =>
  STATES[shownState(one)] ?? { label: one.state, palette: "gray" };

export const orderOfState = (one) => ORDER.indexOf(shownState(one));

export const statesAmong = (organisations) => {
  const found = new Set(organisations.map(shownState));
  return ORDER.filter((state) => found.has(state)).map((state) => [state, STATES[state].label]);
};

export const needsAttention = (one) => NEEDS_A_PERSON.has(one.state);
export const isBusy = (one) => BUSY.has(shownState(one));
export const isRead = (one) => !NOT_READ.has(one.state);
export const canReconnect = (one) =>
  ["needs_reconnect", "not_permitted", "disconnected"].includes(one.state);
export const canExtract = (one) =>
  isRead(one) && !isBusy(one) && !(one.resume_at && new Date(one.resume_at) > Date.now());

/** What a person should know beyond the badge; empty when there is nothing. */
export function explanationOf(one) {
  const { reason, resume_at: resumeAt } = one;
  switch (shownState(one)) {
    case "starting":
      return "Airflow starts reading it within seconds.";
    case "never_extracted":
      return "Its first extraction starts with the next run.";
    case "extracting":
      return one.records_read === undefined ? "Reading from Xero now." : "";
    case "waiting_for_limit":
      return resumeAt
        ? `Xero's limit is used up. Continues ${timeOf(resumeAt)}.`
        : "Xero's limit is used up. Continues by itself.";
    case "needs_reconnect":
      return [
        reason ?? "Xero no longer accepts this consent. Connect again to continue.",
        BY_INVITATION.test(one.connected_by) && "It came by an invitation: send a new one.",
      ]
        .filter(Boolean)
        .join(" ");
    case "disconnected":
      return "No longer read. What was read stays in the warehouse.";
    case "erasing":
      return "Every trace of it is being removed.";
    case "paused":
      return `${reason ?? "Paused"}. What was read stays.`;
    case "failed":
    case "not_permitted":
      return reason ?? "See the log of its last run.";
    default:
      return reason ?? "";
  }
}

/** How long a grant that nobody uses lasts: words, and whether somebody should hurry. */
export function endOfGrant(one, now = Date.now()) {
  if (!one.grant_ends_at || one.state === "disconnected" || one.state === "needs_reconnect") {
    return null;
  }
  const days = Math.floor((new Date(one.grant_ends_at).getTime() - now) / 86_400_000);
  if (days < 0) return { isSoon: true, text: "access has ended" };
  return { isSoon: days < ENDS_SOON_DAYS, text: `access ends in ${counted(days, "day", "days")}` };
}

/** When it is read next, given Airflow's plan; empty when it is not. */
export function nextRunOf(one, nextNightAt) {
  if (!isRead(one) || isBusy(one)) return "";
  const at = one.state === "waiting_for_limit" && one.resume_at ? one.resume_at : nextNightAt;
  if (!at) return "";
  return new Date(at) > Date.now() ? `next ${agoOf(at)}` : "next run is due";
}

const REGIONS = new Intl.DisplayNames(["en"], { type: "region" });

/** "New Zealand · NZD"; empty before the first extraction. */
export function placeOf({ country, currency }) {
  const name = /^[A-Z]{2}$/.test(country ?? "") ? REGIONS.of(country) : country;
  return [name, currency].filter(Boolean).join(" · ");
}

const DAY = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeZone: "UTC" });
const MOMENT = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });
const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const NUMBER = new Intl.NumberFormat("en");
const STEPS = [
  [60, "second"],
  [60, "minute"],
  [24, "hour"],
  [30, "day"],
  [12, "month"],
  [Infinity, "year"],
];

/** A day of the books, which has no time zone: "20 Nov 2026". */
export const dayOf = (isoDay) => (isoDay ? DAY.format(new Date(`${isoDay}T00:00:00Z`)) : "–");

/** A moment on the reader's clock: "20 Nov 2026, 14:05". */
export const timeOf = (isoMoment) => MOMENT.format(new Date(isoMoment));

/** How long ago, or how soon: "2 hours ago". */
export function agoOf(isoMoment, now = Date.now()) {
  let amount = (new Date(isoMoment).getTime() - now) / 1000;
  for (const [size, unit] of STEPS) {
    if (Math.abs(amount) < size) return RELATIVE.format(Math.round(amount), unit);
    amount /= size;
  }
  return "";
}

/** The first letter or digit of a name, for its round mark. */
export const initialOf = (name) => (name.match(/[\p{L}\p{N}]/u)?.[0] ?? "·").toUpperCase();

export const numberOf = (number) => NUMBER.format(number);

export const counted = (count, one, many) => `${numberOf(count)} ${count === 1 ? one : many}`;
