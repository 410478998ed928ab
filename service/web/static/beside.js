// How it reads beside the sheet, in a window that is wide enough: it follows when writing pauses.

import { byId } from "./dom.js";
import { recall, remember } from "./keep/store.js";

const WIDE = matchMedia("(min-width: 100rem)"); // page.css knows it too
const KEPT = "beside";
const PAUSE_MS = 1200;

/** Connects the button. `views` are told when what is seen at once has changed. */
export function offerBeside({ manuscript, write, views }) {
  const button = byId("beside-toggle");
  let timer = null;

  const isOn = () => WIDE.matches && recall(KEPT) === true;

  function arrange() {
    button.setAttribute("aria-pressed", String(isOn()));
    views.showBeside(isOn() ? "see" : null);
  }

  function follow() {
    clearTimeout(timer);
    if (isOn()) timer = setTimeout(() => (write.isWriting ? follow() : arrange()), PAUSE_MS);
  }

  button.addEventListener("click", () => {
    remember(KEPT, !isOn());
    arrange();
  });
  WIDE.addEventListener("change", arrange);
  manuscript.onChange(follow);
  arrange();
}
