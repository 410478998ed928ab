// The dialog that asks for a key where the service needs one.

import { byId } from "../dom.js";

let asking = null; // one dialog, however many requests wait for its key

/** The key that was typed; null when the dialog was left. */
export function askForKey(why) {
  asking ??= ask(why).finally(() => (asking = null));
  return asking;
}

function ask(why) {
  const dialog = byId("key-dialog");
  const input = byId("key");
  byId("key-why").textContent = why.startsWith("no API key")
    ? "This service is open to those who have a key. It is kept for this tab alone, until the tab is closed."
    : "The key is not valid here.";
  input.value = "";
  byId("key-form").onsubmit = (event) => {
    event.preventDefault();
    dialog.close(input.value.trim());
  };
  byId("key-cancel").onclick = () => dialog.close("");
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.onclose = () => {
      input.value = "";
      resolve(dialog.returnValue || null);
      dialog.returnValue = "";
    };
  });
}
