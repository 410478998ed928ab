// The dialog that asks for a key where the service needs one.

import { byId } from "../dom.js";

let asking = null; // one dialog, however many requests wait for its key

/** The key that was typed; null when the dialog was left. */
export function askForKey(isRefused) {
  asking ??= ask(isRefused).finally(() => (asking = null));
  return asking;
}

function ask(isRefused) {
  const dialog = byId("key-dialog");
  const input = byId("key");
  byId("key-why").textContent = isRefused
    ? "This key does not open the service. Look whether it is whole, or ask whoever runs the service."
    : "This service needs a key. Whoever runs it can give you one. It stays in this tab and is forgotten when you close it.";
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
