// Looks that the other files share: lines, surfaces, notices, text for screen readers, the phone.

const { createElement: h, useEffect, useState } = globalThis.React;
const { Alert, Box, Button, CloseButton, Dialog, Portal, Text } = globalThis.ChakraUI;

// Surfaces that stand out from the page a little, in both of Airflow's colour modes.
export const LINE = { borderColor: { base: "border", _dark: "whiteAlpha.300" } };
export const PANEL = { ...LINE, bg: { base: "bg", _dark: "whiteAlpha.50" }, borderWidth: 1 };

export const HIDDEN = {
  clipPath: "inset(50%)",
  height: "1px",
  overflow: "hidden",
  position: "absolute",
  whiteSpace: "nowrap",
  width: "1px",
};

export function HiddenText({ children, ...props }) {
  return h(Box, { ...HIDDEN, ...props }, children);
}

// Screen readers follow what changes in a place that they knew already.
const KNOWN_AFTER_MS = 150;

/** A place that speaks: what comes into it is read aloud. It takes no room while it is empty. */
export function Live({ children, ...props }) {
  const [isKnown, setIsKnown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setIsKnown(true), KNOWN_AFTER_MS);
    return () => clearTimeout(timer);
  }, []);
  return h(
    Box,
    { _empty: { position: "absolute" }, "aria-live": "polite", role: "status", ...props },
    isKnown && children,
  );
}

/** What is not known: a dash for the eye, words for who listens. */
export function Unknown({ words }) {
  return h(
    Text,
    { color: "fg.muted", position: "relative", title: words },
    h("span", { "aria-hidden": true }, "–"),
    h(HiddenText, { as: "span" }, words),
  );
}

export function Small({ children, ...props }) {
  return h(Text, { color: "fg.muted", fontSize: "sm", ...props }, children);
}

export function OutlineButton(props) {
  return h(Button, { ...LINE, variant: "outline", ...props });
}

/** An error is read aloud wherever it appears; anything else if it stands in a place that speaks. */
export function Notice({ status, title, action, onClose, children }) {
  return h(
    Alert.Root,
    { alignItems: "start", role: status === "error" ? "alert" : undefined, status },
    h(Alert.Indicator),
    h(
      Alert.Content,
      { minW: 0 },
      h(Alert.Title, null, title),
      children && h(Alert.Description, { overflowWrap: "anywhere" }, children),
      action && h(Box, { mt: 2 }, action),
    ),
    onClose && h(CloseButton, { "aria-label": "Dismiss", mt: -1, onClick: onClose, size: "sm" }),
  );
}

/** A question over the page: Escape and the cross leave it, the focus stays inside. */
export function Question({ title, onClose, footer, children, ...props }) {
  return h(
    Dialog.Root,
    {
      lazyMount: true,
      onOpenChange: ({ open }) => open || onClose(),
      open: true,
      placement: "center",
      scrollBehavior: "inside",
      ...props,
    },
    h(
      Portal,
      null,
      h(Dialog.Backdrop),
      h(
        Dialog.Positioner,
        { padding: { base: 3, md: 8 } },
        h(
          Dialog.Content,
          { ...LINE, bg: "bg", borderWidth: { base: 0, _dark: 1 }, maxW: "2xl" },
          h(
            Dialog.Header,
            null,
            // A name may have thousands of letters.
            h(Dialog.Title, { lineClamp: 4, overflowWrap: "anywhere", pe: 8 }, title),
          ),
          h(Dialog.Body, null, children),
          h(Dialog.Footer, { flexWrap: "wrap", gap: 2 }, footer),
          h(
            Dialog.CloseTrigger,
            { asChild: true },
            h(CloseButton, { "aria-label": "Close", size: "sm" }),
          ),
        ),
      ),
    ),
  );
}

export function useIsNarrow() {
  const [query] = useState(() => globalThis.matchMedia("(max-width: 1150px)"));
  const [isNarrow, setIsNarrow] = useState(query.matches);
  useEffect(() => {
    const follow = () => setIsNarrow(query.matches);
    query.addEventListener("change", follow);
    return () => query.removeEventListener("change", follow);
  }, [query]);
  return isNarrow;
}
