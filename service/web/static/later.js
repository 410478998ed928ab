// What may wait until one can write: texts that are taken away and opened, the list of sheets, reading
// aloud, and a view beside the sheet.

import { offerBeside } from "./beside.js";
import { byId } from "./dom.js";
import { copyField } from "./keep/clipboard.js";
import { offerToKeep } from "./keep/keep.js";
import { offerToOpen } from "./keep/opening.js";
import { SheetList } from "./sheets/list.js";
import { Aloud } from "./write/aloud.js";

export function connect({ manuscript, sheet, write, views, shelf }) {
  new SheetList(shelf);
  offerToKeep(manuscript);
  offerToOpen(shelf);
  new Aloud({ manuscript, sheet });
  offerBeside({ manuscript, write, views });
  byId("copy-text").addEventListener("click", ({ currentTarget }) => {
    sheet.catchUp();
    copyField(byId("text"), currentTarget);
  });
  document.body.dataset.whole = "";
}
