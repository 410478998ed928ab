// The sheet, which takes what is typed as soon as it can. All else comes after it: the page, and then what
// may wait (later.js).

import { byId, pressedEarly } from "./dom.js";
import { notify } from "./notices.js";
import { Sheet } from "./sheet/sheet.js";
import { Manuscript } from "./text/manuscript.js";

const manuscript = new Manuscript();
manuscript.type(0, 0, byId("text").value); // typed before there were scripts
let write = null;
const sheet = new Sheet({
  area: byId("text"),
  ink: byId("ink"),
  scroller: byId("paper"),
  manuscript,
  onUndo: () => write?.undo(),
  onRedo: () => write?.redo(),
});
sheet.select(manuscript.text.length);
const pressAgain = pressedEarly("button:not([popovertarget])");
fetchPage("./page.js");

/** The page around the sheet. Browsers may remember that an address failed. */
async function fetchPage(address, tried = 1) {
  const page = await import(address).catch((error) => {
    if (!(error instanceof TypeError)) throw error;
    notify("The rest of the page could not be fetched. What you write stays on the sheet meanwhile.", {
      "Try again": () => fetchPage(`./page.js?again=${tried}`, tried + 1),
      "Load the page anew": () => location.reload(),
    });
  });
  if (!page) return;
  write = page.connect({ manuscript, sheet });
  pressAgain();
}
