// Invitations: a link for one person without a login, shown once; those that are open, to revoke.

import { Choices, offered, usualGrants } from "./granting.js";
import { HIDDEN, LINE, Live, Notice, OutlineButton, Question, Small } from "./look.js";
import { act, readInvitations } from "./server.js";
import { agoOf, counted } from "./words.js";

const { createElement: h, useCallback, useEffect, useRef, useState } = globalThis.React;
const { Badge, Box, Button, Field, Flex, Heading, Input, NativeSelect, Text } = globalThis.ChakraUI;

const DAYS = [1, 7, 14, 30];
const FORM = "wish";
const STATES = {
  expired: ["Expired", "gray"],
  open: ["Open", "green"],
  revoked: ["Revoked", "gray"],
  used: ["Used", "blue"],
};

export function Inviting({ choices, onClose, ...props }) {
  const [made, setMade] = useState(null);
  const [problem, setProblem] = useState(null);
  const [listed, setListed] = useState(null);
  const [spoken, setSpoken] = useState("");
  const [isSent, setIsSent] = useState(false);
  const list = useRef();
  const reload = useCallback(async () => {
    const { body, problem: refusal } = await readInvitations();
    if (body) setListed(body.invitations);
    if (refusal) setProblem(refusal);
  }, []);
  useEffect(() => void reload(), [reload]);
  const told = async (answer) => {
    setProblem(answer.problem ?? null);
    await reload();
    return answer.body;
  };
  const invite = async (wished) => {
    // The key Enter sends a form, too, whose button is pressed already.
    if (isSent) return;
    setIsSent(true);
    const body = await told(await act("invitations", wished));
    setIsSent(false);
    if (!body) return;
    setMade(body);
    setSpoken("The link is ready. Copy it now: it is shown this once.");
  };
  const revoke = async (one, button) => {
    const answer = await act(`invitations/${one.invitation_id}`, {}, "DELETE");
    // The button goes when the list is read again, and would take the keyboard's place along.
    if (globalThis.document.activeElement === button) list.current?.focus();
    const body = await told(answer);
    if (body) setSpoken(body.message);
    if (made?.invitation_id === one.invitation_id) setMade(null);
  };
  return h(
    Question,
    {
      ...props,
      footer: [
        h(OutlineButton, { key: "close", onClick: onClose }, "Close"),
        // Always in sight, however long the list of what may be granted is.
        !made &&
          h(
            Button,
            { colorPalette: "brand", disabled: isSent, form: FORM, key: "make", type: "submit" },
            "Make the link",
          ),
      ],
      onClose,
      title: "Invite somebody to connect",
    },
    h(
      Text,
      { color: "fg.muted", mb: 4 },
      "For a person without a login here, such as a client's bookkeeper: the link leads to Xero's consent once, and to nothing else.",
    ),
    problem && h(Box, { mb: 4 }, h(Notice, { status: "error", title: problem.message })),
    made ? h(Made, { made, onMore: () => setMade(null) }) : h(Wish, { choices, onInvite: invite }),
    listed?.length > 0 && h(Listed, { heading: list, listed, onRevoke: revoke }),
    h(Live, HIDDEN, spoken),
  );
}

function Wish({ choices, onInvite }) {
  const [note, setNote] = useState("");
  const [days, setDays] = useState(7);
  const [grants, setGrants] = useState(() => usualGrants(choices));
  const send = (event) => {
    event.preventDefault();
    // Where there was nothing to choose, nobody was asked.
    onInvite({ days, grants: offered(choices).length ? grants : undefined, note });
  };
  return h(
    Flex,
    { as: "form", direction: "column", gap: 4, id: FORM, onSubmit: send },
    h(
      Field.Root,
      null,
      h(Field.Label, null, "A line for the person you invite"),
      h(Input, {
        ...LINE,
        maxLength: 200,
        onChange: (event) => setNote(event.target.value),
        placeholder: "For Mere: please connect Kauri Coffee",
        value: note,
      }),
      h(Field.HelperText, null, "They see it when they open the link, and you in the list below."),
    ),
    h(
      Field.Root,
      null,
      h(Field.Label, null, "Open for"),
      h(
        NativeSelect.Root,
        { maxW: "3xs" },
        h(
          NativeSelect.Field,
          { ...LINE, onChange: (event) => setDays(Number(event.target.value)), value: days },
          DAYS.map((each) => h("option", { key: each, value: each }, counted(each, "day", "days"))),
        ),
        h(NativeSelect.Indicator),
      ),
    ),
    offered(choices).length > 0 && h(Choices, { choices, grants, setGrants }),
  );
}

function Made({ made, onMore }) {
  const field = useRef();
  const [isCopied, setIsCopied] = useState(false);
  useEffect(() => {
    field.current?.focus();
    field.current?.select();
  }, [made]);
  const copy = async () => {
    field.current.select();
    try {
      await globalThis.navigator.clipboard.writeText(made.url);
      setIsCopied(true);
    } catch {
      // Without https a browser has no clipboard: the link is selected, to be copied by hand.
      setIsCopied(false);
    }
  };
  return h(
    Flex,
    { direction: "column", gap: 3 },
    h(Notice, { status: "success", title: "The link is ready" }, "Copy it now: it is shown this once. It works one time."),
    h(
      Flex,
      { gap: 2 },
      h(Input, {
        ...LINE,
        "aria-label": "Link of the invitation",
        readOnly: true,
        ref: field,
        value: made.url,
      }),
      h(Button, { colorPalette: "brand", onClick: copy }, isCopied ? "Copied" : "Copy"),
    ),
    h(OutlineButton, { alignSelf: "start", onClick: onMore, size: "sm" }, "Invite another person"),
  );
}

function Listed({ heading, listed, onRevoke }) {
  return h(
    Box,
    { mt: 8 },
    h(Heading, { as: "h3", mb: 2, ref: heading, size: "sm", tabIndex: -1 }, "Invitations"),
    h(
      Flex,
      { as: "ul", direction: "column", gap: 3, listStyleType: "none" },
      listed.map((one) => h(Invited, { key: one.invitation_id, one, onRevoke })),
    ),
  );
}

function Invited({ one, onRevoke }) {
  const [label, palette] = STATES[one.state] ?? [one.state, "gray"];
  const who = one.note || "Without a note";
  const what = {
    open: `open until ${agoOf(one.expires_at)}`.replace("until in", "for another"),
    used: one.used_by_email ? `used by ${one.used_by_email}` : "used",
  };
  return h(
    Flex,
    { ...LINE, align: "center", as: "li", borderTopWidth: 1, gap: 3, pt: 3 },
    h(
      Box,
      { flex: 1, minW: 0 },
      h(Text, { overflowWrap: "anywhere" }, h("bdi", null, who)),
      h(
        Small,
        { overflowWrap: "anywhere" },
        [`by ${one.invited_by}, ${agoOf(one.created_at)}`, what[one.state]].filter(Boolean).join(" · "),
      ),
    ),
    h(Badge, { colorPalette: palette, variant: "subtle" }, label),
    one.state === "open" &&
      h(
        OutlineButton,
        {
          "aria-label": `Revoke the invitation: ${who}`,
          onClick: (event) => onRevoke(one, event.currentTarget),
          size: "xs",
        },
        "Revoke",
      ),
  );
}
