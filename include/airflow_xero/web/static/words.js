// The words of the page: states, days and times. Knows nothing of React or of the server.

// This file is served at <Airflow>/xero/static/, whatever Airflow's base path is.
export const XERO_URL = new URL("../", import.meta.url);
export const AIRFLOW_URL = new URL("../../", import.meta.url);

const STATES = {
  healthy: { label: "Healthy", palette: "green" },
  extracting: { label: "Extracting", palette: "blue" },
  new: { label: "New", palette: "purple" },
  waiting_for_limit: { label: "Waiting for Xero", palette: "orange" },
  needs_reconnect: { label: "Needs reconnect", palette: "red" },
  failed: { label: "Failed", palette: "red" },
  disconnected: { label: "Disconnected", palette: "gray" },
};
const NEEDS_A_PERSON = new Set(["needs_reconnect", "failed"]);

export const stateOf = (organisation) =>
  STATES[organisation.state] ?? { label: organisation.state, palette: "gray" };

export const needsAttention = (organisation) => NEEDS_A_PERSON.has(organisation.state);

export const canReconnect = (organisation) =>
  organisation.state === "needs_reconnect" || organisation.state === "disconnected";

/** What a person should know beyond the badge; empty when there is nothing. */
export function explanationOf({ state, reason, resume_at: resumeAt }) {
  if (state === "new") return "Its first extraction starts with the next run.";
  if (state === "extracting") return "Reading from Xero now.";
  if (state === "waiting_for_limit") {
    return resumeAt
      ? `Xero's limit is used up. Continues ${timeOf(resumeAt)}.`
      : "Xero's limit is used up. Continues by itself.";
  }
  if (state === "needs_reconnect") {
    return reason ?? "Xero no longer accepts this consent. Connect again to continue.";
  }
  if (state === "disconnected") return "No longer read. What was read stays in the warehouse.";
  return state === "failed" ? (reason ?? "See the log of its last run.") : "";
}

const DAY = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeZone: "UTC" });
const MOMENT = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });
const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
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

export const counted = (count, one, many) => `${count} ${count === 1 ? one : many}`;
