// Looks that the other files share: lines, surfaces, text for screen readers, the narrow screen.

const { createElement: h, useEffect, useState } = globalThis.React;
const { Box } = globalThis.ChakraUI;

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

export function useIsNarrow() {
  const [query] = useState(() => globalThis.matchMedia("(max-width: 800px)"));
  const [isNarrow, setIsNarrow] = useState(query.matches);
  useEffect(() => {
    const follow = () => setIsNarrow(query.matches);
    query.addEventListener("change", follow);
    return () => query.removeEventListener("change", follow);
  }, [query]);
  return isNarrow;
}
