// What a person may grant, in plain words with the exact scopes, before Xero is asked.

import { LINE, OutlineButton, Question, Small } from "./look.js";
import { counted } from "./words.js";

const { createElement: h, useState } = globalThis.React;
const { Alert, Box, Button, Checkbox, Code, Flex, Text } = globalThis.ChakraUI;

export const offered = (choices = []) => choices.filter((choice) => choice.is_offered);

export const usualGrants = (choices) =>
  offered(choices).flatMap((one) => (one.is_default || one.is_required ? [one.key] : []));

/** Only what cannot change anything is said to change nothing. */
const PROMISE = {
  false: "This app asks for scopes with which it could also change data in Xero. Nothing here ever does.",
  true: "Everything is read only: nothing in Xero is ever changed.",
};

export function Granting({ cap, choices, isReadOnly, name, onClose, onGo, ...props }) {
  const [grants, setGrants] = useState(() => usualGrants(choices));
  const isFull = cap?.allowed != null && cap.used >= cap.allowed;
  return h(
    Question,
    {
      ...props,
      footer: [
        h(OutlineButton, { key: "no", onClick: onClose }, "Cancel"),
        h(
          Button,
          { colorPalette: "brand", key: "go", onClick: () => onGo(grants) },
          "Continue to Xero",
        ),
      ],
      onClose,
      title: name ? `Reconnect ${name}` : "What may be read?",
    },
    h(
      Text,
      { color: "fg.muted", mb: 4 },
      `Xero asks you to log in, and which organisations you choose. ${PROMISE[isReadOnly === true]}`,
    ),
    cap?.allowed != null &&
      h(
        Alert.Root,
        { mb: 4, size: "sm", status: isFull ? "warning" : "info" },
        h(Alert.Indicator),
        h(
          Alert.Description,
          null,
          `${counted(cap.used, "connection", "connections")} of this app's ${cap.allowed} are used.`,
          isFull && " Xero refuses another organisation until one is disconnected, or the app's tier is raised.",
        ),
      ),
    h(Choices, { choices, grants, setGrants }),
  );
}

export function Choices({ choices, grants, setGrants }) {
  const change = (key) => ({ checked }) =>
    setGrants(checked === true ? [...grants, key] : grants.filter((one) => one !== key));
  const rest = choices.filter((choice) => !choice.is_offered);
  return h(
    Flex,
    { "aria-label": "What may be read", direction: "column", gap: 4, role: "group" },
    offered(choices).map((choice) =>
      h(OneChoice, {
        choice,
        isChecked: choice.is_required || grants.includes(choice.key),
        key: choice.key,
        onChange: change(choice.key),
      }),
    ),
    rest.length > 0 &&
      h(
        Small,
        null,
        `Not asked for by this app: ${rest.map((one) => one.label.toLowerCase()).join(", ")}. The field Scopes of its Airflow connection decides.`,
      ),
  );
}

function OneChoice({ choice, isChecked, onChange }) {
  return h(
    Box,
    null,
    h(
      Checkbox.Root,
      {
        alignItems: "start",
        checked: isChecked,
        disabled: choice.is_required,
        onCheckedChange: onChange,
      },
      h(Checkbox.HiddenInput),
      h(Checkbox.Control, { ...LINE, mt: 0.5 }),
      h(
        Checkbox.Label,
        { opacity: 1 },
        h(Text, { as: "span", fontWeight: 600 }, choice.label),
        choice.is_required && h(Text, { as: "span", color: "fg.muted" }, " (needed)"),
      ),
    ),
    h(Small, { ms: 6 }, choice.description),
    h(
      Flex,
      { gap: 1, ms: 6, mt: 1, wrap: "wrap" },
      choice.scopes.map((scope) =>
        h(Code, { fontSize: "xs", key: scope, overflowWrap: "anywhere" }, scope),
      ),
    ),
  );
}
