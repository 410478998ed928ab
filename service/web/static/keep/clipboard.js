// Text to the clipboard, and what to do where the browser does not let a page write there.

import { announce, notify } from "../notices.js";

const SEEN_MS = 2000;

/** Copy all of a field's text, and say so on the button. */
export async function copyField(field, button) {
  if (!field.value) return notify("There is nothing on the sheet to copy yet.");
  if (await isCopied(field)) return tell(button);
  field.focus();
  field.select();
  const keys = /Mac|iP/.test(navigator.platform) ? "⌘C" : "Ctrl+C";
  return notify(`This browser lets no page copy by itself. The text is selected: press ${keys}.`);
}

async function isCopied(field) {
  try {
    await navigator.clipboard.writeText(field.value);
    return true;
  } catch {
    return isCopiedAsSelected(field); // outside of HTTPS there is no clipboard for pages
  }
}

function isCopiedAsSelected(field) {
  const { selectionStart, selectionEnd } = field;
  const before = document.activeElement;
  field.focus();
  field.select();
  const isDone = document.execCommand("copy");
  field.setSelectionRange(selectionStart, selectionEnd);
  before?.focus();
  return isDone;
}

function tell(button) {
  const label = (button.dataset.label ??= button.textContent);
  button.textContent = "Copied";
  announce("The text is copied");
  clearTimeout(button.timer);
  button.timer = setTimeout(() => (button.textContent = label), SEEN_MS);
}
