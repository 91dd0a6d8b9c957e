// What can be done with one organisation: a menu, and a question before what cannot be undone.

import { LINE, OutlineButton, Question } from "./look.js";
import { act } from "./server.js";
import { AIRFLOW_URL, canExtract, canReconnect } from "./words.js";

const { createElement: h, useRef, useState } = globalThis.React;
const { Box, Button, Dialog, Field, Flex, IconButton, Input, Menu, Portal } = globalThis.ChakraUI;

export function RowActions({ isCard, one, may, onAsk, onReconnect, onDone }) {
  const items = itemsFor(one, may);
  const choose = ({ value }) => {
    if (value === "runs") return globalThis.location.assign(runsOf(one));
    if (value === "reconnect") return onReconnect(one);
    return QUESTIONS[value] ? onAsk({ action: value, one }) : run(value, { one, onDone });
  };
  return h(
    Flex,
    {
      // In a table one above the other: side by side they would push a column out of the window.
      ...(isCard ? { direction: "row" } : { align: "end", direction: "column" }),
      gap: 2,
    },
    canReconnect(one) &&
      may.connect &&
      h(
        OutlineButton,
        { "aria-label": `Reconnect ${one.name}`, onClick: () => onReconnect(one), size: "sm" },
        "Reconnect",
      ),
    h(
      Menu.Root,
      { lazyMount: true, onSelect: choose, unmountOnExit: true },
      h(
        Menu.Trigger,
        { asChild: true },
        h(
          IconButton,
          {
            ...LINE,
            "aria-label": `Actions for ${one.name}`,
            "data-actions-of": one.tenant_id,
            size: "sm",
            variant: "outline",
          },
          h(Dots),
        ),
      ),
      h(
        Portal,
        null,
        h(
          Menu.Positioner,
          null,
          h(
            Menu.Content,
            null,
            items.map(([value, label, isDanger]) =>
              h(Menu.Item, { color: isDanger ? "red.fg" : undefined, key: value, value }, label),
            ),
          ),
        ),
      ),
    ),
  );
}

async function run(action, { body, one, onDone }) {
  onDone(await act(`organisations/${one.tenant_id}/${action}`, body), one);
}

/** The question that a menu led to: of the list, since its row may become a card, or move away. */
export function Asked({ action, one, onClose, onDone }) {
  return h(QUESTIONS[action], {
    finalFocusEl: () => globalThis.document.querySelector(`[data-actions-of="${one.tenant_id}"]`),
    one,
    onClose,
    onYes: (body) => {
      onClose();
      run(action, { body, one, onDone });
    },
  });
}

function itemsFor(one, may) {
  const isLive = one.state !== "disconnected" && one.state !== "erasing";
  return [
    may.extract && canExtract(one) && ["extract", "Extract now"],
    may.connect && one.state !== "erasing" && ["reconnect", "Reconnect"],
    may.connect && one.state === "paused" && ["unpause", "Resume"],
    may.connect && isLive && one.state !== "paused" && ["pause", "Pause"],
    ["runs", "Runs in Airflow"],
    may.connect && isLive && ["disconnect", "Disconnect…", true],
    may.erase && one.state !== "erasing" && ["erase", "Erase…", true],
  ].filter(Boolean);
}

/** Airflow's list of the tasks that read the organisation, of every Dag, by the name they carry. */
function runsOf(one) {
  const url = new URL("task_instances", AIRFLOW_URL);
  url.searchParams.set("dag_id_pattern", "xero");
  const beginning = searchable(one.name);
  if (beginning) url.searchParams.set("rendered_map_index", beginning);
  return url;
}

// Airflow keeps so many characters of a name with a task.
const LABEL_LENGTH = 250;

/** How a name begins, as far as Airflow's search takes it as it is: | is its "or", \ may escape. */
function searchable(name) {
  const label = Array.from(name).slice(0, LABEL_LENGTH).join("");
  return label.split(/[|\\]/u)[0].trimEnd();
}

function Disconnect({ one, onYes, ...props }) {
  return h(
    Sure,
    { ...props, onYes: () => onYes({}), title: `Disconnect ${one.name}?`, yes: "Disconnect" },
    "Its connection ends at Xero, for everybody who connected it here. What was read stays in the warehouse, and it can be connected again at any time.",
  );
}

function Erase({ one, onYes, ...props }) {
  const [typed, setTyped] = useState("");
  const field = useRef();
  return h(
    Sure,
    {
      ...props,
      initialFocusEl: () => field.current,
      isDisabled: asShown(typed) !== asShown(one.name),
      onYes: () => onYes({ typed_name: typed }),
      title: `Erase ${one.name}?`,
      yes: "Erase for good",
    },
    "It is disconnected, and everything that was read of it is removed from the warehouse: raw data, statistics, runs. Only the audit log keeps that this happened. It cannot be undone.",
    h(
      Field.Root,
      { mt: 4 },
      h(Field.Label, null, "Type its name to confirm"),
      h(Input, {
        ...LINE,
        autoComplete: "off",
        onChange: (event) => setTyped(event.target.value),
        placeholder: one.name,
        ref: field,
        value: typed,
      }),
    ),
  );
}

function Sure({ children, isDisabled, onClose, onYes, yes, ...props }) {
  const [isSent, setIsSent] = useState(false);
  const send = (event) => {
    event.preventDefault();
    if (isDisabled || isSent) return;
    setIsSent(true);
    onYes();
  };
  const form = `sure-${yes}`;
  const [words, ...fields] = [].concat(children);
  return h(
    Question,
    {
      ...props,
      footer: [
        h(OutlineButton, { key: "no", onClick: onClose }, "Cancel"),
        h(
          Button,
          { colorPalette: "red", disabled: isDisabled || isSent, form, key: "yes", type: "submit" },
          yes,
        ),
      ],
      onClose,
      role: "alertdialog",
    },
    h(
      Box,
      { as: "form", id: form, onSubmit: send },
      h(Dialog.Description, { color: "fg", fontSize: "inherit" }, words),
      ...fields,
    ),
  );
}

// A page shows several spaces as one, and some signs not at all.
const asShown = (name) =>
  (name.replace(/\p{Cf}/gu, "") || name).normalize("NFC").trim().replace(/\s+/gu, " ");

const QUESTIONS = { disconnect: Disconnect, erase: Erase };

const Dots = () =>
  h(
    "svg",
    { "aria-hidden": true, fill: "currentColor", height: 16, viewBox: "0 0 16 16", width: 16 },
    [3, 8, 13].map((x) => h("circle", { cx: x, cy: 8, key: x, r: 1.4 })),
  );
