// What moves by itself, in words for who listens instead of looking. Draws nothing.

import { counted, stateOf } from "./words.js";

const { useEffect, useRef, useState } = globalThis.React;

const NAMED = 3;
const QUARTERS = 4;

/** The last news: that the list is loading and is there, and whose state or progress moved. */
export function useNews({ endpoints, organisations, problem }) {
  const known = useRef(null);
  const [news, setNews] = useState("");
  useEffect(() => {
    if (!organisations) return setNews(problem ? "" : "Loading the organisations");
    const said = new Map(organisations.map((one) => [one.tenant_id, saidOf(one, endpoints)]));
    const words = known.current
      ? newsOf(organisations, known.current, said)
      : counted(organisations.length, "organisation is listed", "organisations are listed");
    known.current = said;
    if (words) setNews(words);
  }, [endpoints, organisations, problem]);
  return news;
}

// A quarter at a time: who listens cannot look away.
function saidOf(one, endpoints) {
  const { label } = stateOf(one);
  const isCounted = one.state === "extracting" && endpoints > 0 && one.endpoints_read > 0;
  const quarters = isCounted ? Math.floor((QUARTERS * one.endpoints_read) / endpoints) : 0;
  return quarters ? `${label}, ${(100 / QUARTERS) * Math.min(quarters, QUARTERS)} percent` : label;
}

function newsOf(organisations, before, said) {
  const moved = organisations.filter((one) => said.get(one.tenant_id) !== before.get(one.tenant_id));
  if (moved.length > NAMED) return `${counted(moved.length, "", "organisations")} have moved on`;
  return moved.map((one) => `${one.name}: ${said.get(one.tenant_id)}`).join(". ");
}
