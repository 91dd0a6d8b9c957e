// The page behind an invitation link. The secret is what follows the # of the address: it is sent
// to this page's own server alone, in the body of a request, and taken out of the address at once.
const { document, fetch, history, location } = globalThis;
const at = (id) => document.getElementById(id);
const token = location.hash.slice(1);
history.replaceState(null, "", location.pathname);

/** The server's answer to a question about the invitation; says what is wrong, if something is. */
async function ask(question, isSure = false) {
  try {
    const response = await fetch(`${location.pathname}/${question}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Xero-Page": "1" },
      body: JSON.stringify({ sure: isSure, token }),
      cache: "no-store",
    });
    const answer = await response.json();
    if (response.ok) return answer;
    say(answer.title ?? "Not connected", answer.message ?? answer.detail);
    // Who was connected before, or sees that Xero answers, knows better.
    at("anyway").hidden = !answer.may_go_on;
  } catch {
    say("No answer", "The server does not answer. Please open your link again in a minute.");
  }
  return undefined;
}

function say(title, message) {
  document.title = `${title} · Xero`;
  at("title").textContent = title;
  at("message").textContent = message;
  at("invitation").hidden = true;
  at("anyway").hidden = true;
}

function show({ invited_by, note, expires_at, choices, is_own: isOwn, is_read_only: isReadOnly }) {
  say(
    "Connect your organisation",
    isOwn
      ? "You come from the page Xero in Airflow. Go on here, where Xero will send you back."
      : `${invited_by} invites you to connect your organisation in Xero.`,
  );
  at("note").textContent = note ?? "";
  at("note").hidden = !note;
  at("promise").textContent = isReadOnly
    ? "Nothing in your books can be changed by it."
    : "The app could also change data in Xero with what it asks for; it is used for reading alone.";
  for (const { label, description } of choices) {
    const item = document.createElement("li");
    const name = document.createElement("strong");
    name.textContent = `${label}:`;
    item.append(name, ` ${description}`);
    at("choices").append(item);
  }
  at("scopes").textContent = choices.flatMap((one) => one.scopes).join(" ");
  const day = new Intl.DateTimeFormat(undefined, { dateStyle: "long", timeStyle: "short" });
  at("expires").textContent = `This ${isOwn ? "address" : "invitation"} works once, until ${day.format(new Date(expires_at))}.`;
  at("invitation").hidden = false;
}

async function goToXero(isSure) {
  at("go").disabled = true;
  const begun = await ask("begin", isSure);
  if (begun) location.assign(begun.url);
}

// Whoever comes back from Xero by the browser's button may press again.
globalThis.addEventListener("pageshow", () => {
  at("go").disabled = false;
});
at("go").addEventListener("click", () => goToXero(false));
at("anyway").addEventListener("click", () => goToXero(true));
if (token) {
  const invitation = await ask("look");
  if (invitation) show(invitation);
} else {
  say("Nothing to do here", "Please open the invitation link from the message that you got.");
}
