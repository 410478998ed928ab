// What the page says: a line that changes often and is not read aloud, a few words for screen
// readers, and notices that stay until they are closed.

import { byId, el } from "./dom.js";

let hint = null; // what the status line says before anything is done

/** The line below the sheet; a small window leaves out those of its parts that are `details`. */
export function showStatus(text, details = []) {
  hint ??= [...byId("status").childNodes];
  const parts = text.split(" · ").map((part, index) => {
    const shown = index ? ` · ${part}` : part;
    return details.includes(part) ? el("span", { class: "roomy" }, shown) : shown;
  });
  byId("status").replaceChildren(...parts);
}

/** What was said is of a sheet that is no longer shown. */
export const clearStatus = () => hint && byId("status").replaceChildren(...hint);

/** For screen readers: only what matters, not each character. */
export function announce(text) {
  byId("live").textContent = text;
}

/** A notice that stays, with buttons for what one can do: {label: action}. Gives back what closes it. */
export function notify(text, actions = {}) {
  const said = el("p", {}, text);
  const close = () => said.isConnected && byId("notice").replaceChildren();
  const buttons = Object.entries(actions).map(([label, action]) =>
    el("button", { type: "button", onclick: () => (close(), action()) }, label),
  );
  const closer = el(
    "button",
    { type: "button", class: "quiet", "aria-label": "Close this notice", onclick: close },
    "×",
  );
  byId("notice").replaceChildren(said, ...buttons, closer);
  return close;
}

export const clearNotice = () => byId("notice").replaceChildren();

/** An error's message as a sentence. */
export function sentence(text) {
  const trimmed = text.trim();
  return trimmed.charAt(0).toUpperCase() + trimmed.slice(1) + (/[.!?]$/.test(trimmed) ? "" : ".");
}
