// Looks that the other files share: lines, surfaces, notices, text for screen readers, the phone.

const { createElement: h, useEffect, useState } = globalThis.React;
const { Alert, Box, Button, CloseButton, Dialog, Portal, Text } = globalThis.ChakraUI;

// Surfaces that stand out from the page a little, in both of Airflow's colour modes.
export const LINE = { borderColor: { base: "border", _dark: "whiteAlpha.300" } };
export const PANEL = { ...LINE, bg: { base: "bg", _dark: "whiteAlpha.50" }, borderWidth: 1 };

export function HiddenText({ children, ...props }) {
  return h(
    Box,
    {
      clipPath: "inset(50%)",
      height: "1px",
      overflow: "hidden",
      position: "absolute",
      whiteSpace: "nowrap",
      width: "1px",
      ...props,
    },
    children,
  );
}

export function Small({ children, ...props }) {
  return h(Text, { color: "fg.muted", fontSize: "sm", ...props }, children);
}

export function OutlineButton(props) {
  return h(Button, { ...LINE, variant: "outline", ...props });
}

export function Notice({ status, title, action, onClose, children }) {
  return h(
    Alert.Root,
    { alignItems: "start", role: status === "error" ? "alert" : "status", status },
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
  const [query] = useState(() => globalThis.matchMedia("(max-width: 900px)"));
  const [isNarrow, setIsNarrow] = useState(query.matches);
  useEffect(() => {
    const follow = () => setIsNarrow(query.matches);
    query.addEventListener("change", follow);
    return () => query.removeEventListener("change", follow);
  }, [query]);
  return isNarrow;
}
