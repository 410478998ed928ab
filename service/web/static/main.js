// The page from start to end: makes the parts and connects them.

import { askForKeysWith } from "./service/client.js";
import { offerBeside } from "./beside.js";
import { byId, isComposing } from "./dom.js";
import { copyField } from "./keep/clipboard.js";
import { Tools } from "./form/tools.js";
import { askForKey } from "./service/key.js";
import { offerToKeep } from "./keep/keep.js";
import { offerToOpen } from "./keep/opening.js";
import { cleanAddress, readFragment } from "./keep/link.js";
import { fetched } from "./lazy.js";
import { Manuscript } from "./text/manuscript.js";
import { Models } from "./service/models.js";
import { fitSmallWindows, hideSettings, showSetting } from "./narrow.js";
import { notify } from "./notices.js";
import { keepForOffline } from "./offline.js";
import { Settings } from "./settings/settings.js";
import { Sheet } from "./sheet/sheet.js";
import { earlier } from "./sheets/recovery.js";
import { openLinked } from "./sheets/linked.js";
import { readSettings } from "./settings/fields.js";
import { recall, remember } from "./keep/store.js";
import { SheetList } from "./sheets/list.js";
import { Shelf } from "./sheets/shelf.js";
import { Views } from "./views.js";
import { Aloud } from "./write/aloud.js";
import { Write } from "./write/write.js";

askForKeysWith(askForKey, () => models.load({ isQuiet: true }));
const kept = recall("settings") ?? earlier(); // earlier releases kept them with the sheet
const manuscript = new Manuscript();
manuscript.type(0, 0, byId("text").value); // typed before the page was ready
const settings = new Settings();
const models = new Models();
let write = null;
const sheet = new Sheet({
  area: byId("text"),
  ink: byId("ink"),
  scroller: byId("paper"),
  manuscript,
  onUndo: () => write.undo(),
  onRedo: () => write.redo(),
});
write = new Write({ manuscript, sheet, settings, models });
const views = new Views({ manuscript, sheet, settings, models, write });
new Aloud({ manuscript, sheet });
new Tools({ manuscript, sheet, models, write });

const shelf = new Shelf({ manuscript, sheet, write });
new SheetList(shelf);

if (kept) settings.set(readSettings(kept.settings ?? {}));
models.choose(kept?.model);
sheet.select(manuscript.text.length);
connect();
start();

function connect() {
  const keep = () => remember("settings", { settings: settings.essential, model: models.chosen });
  keep();
  settings.onChange(keep);
  models.onChange(keep);
  offerToKeep(manuscript);
  offerToOpen(shelf);
  byId("keep-seed").addEventListener(
    "click",
    () => write.seed.value === null || settings.adjust({ seed: write.seed.value }),
  );
  byId("who-wrote").addEventListener("change", (event) =>
    byId("ink").classList.toggle("plain", !event.target.checked),
  );
  byId("copy-text").addEventListener("click", ({ currentTarget }) => {
    sheet.catchUp();
    copyField(byId("text"), currentTarget);
  });
  fitSmallWindows();
  offerBeside({ manuscript, write, views });
  byId("save").addEventListener("click", showKeeping);
  byId("form-link").addEventListener("click", () => {
    hideSettings();
    if (byId("form-panel").hidden) byId("form-toggle").click();
  });
  byId("sheet-new").addEventListener("click", () => shelf.startNew());
  addEventListener("keydown", onKey);
}

async function start() {
  const asked = readFragment(location.hash.slice(1));
  views.start();
  const listed = models.load();
  await shelf.begin(asked.sheet);
  views.start(); // once more: a view that was quicker has seen no sheet yet
  await listed;
  if (!asked.link) welcome();
  keepForOffline();
  await follow(asked);
  addEventListener("hashchange", () => follow(readFragment(location.hash.slice(1))));
}

/** Go to what the address asks for, which then no longer does. */
async function follow({ link, sheet: id }) {
  if (!link && !id) return;
  history.replaceState(null, "", cleanAddress(location));
  if (link) await openLink(link);
  else await shelf.open(id);
}

/** The link's piece is written anew, on a sheet of its own. */
async function openLink(link) {
  const { text, model, settings: wanted } = link;
  const opened = await openLinked(shelf, link);
  if (!opened) return;
  settings.set(wanted);
  models.choose(model ?? models.chosen);
  if ("seed" in wanted && !opened.isWritten) {
    sheet.select(text.length);
    write.continue();
  }
  const isMissing = model && models.names.length && !models.names.includes(model);
  notify(
    (isMissing
      ? `The link asks for the model ${model}, which is not here: another one writes something else. `
      : "") +
      (opened.isNew
        ? "This came with a link, on a sheet of its own."
        : "This came with a link that you have opened before."),
  );
}

/** Who comes for the first time sees what this is. */
async function welcome() {
  if (manuscript.text || recall("met")) return;
  const sample = await fetched("./write/sample.js").catch(() => null); // the sheet is as good without
  if (!manuscript.text) sample?.show({ manuscript, sheet });
}

/** The files are in the settings, which a small window hides. */
function showKeeping() {
  showSetting(byId("keeping"));
  byId("save-txt").focus();
}

function onKey(event) {
  if (isComposing(event) || document.querySelector("dialog[open], :popover-open")) return;
  if (event.key === "Escape" && write.isWriting) write.stop();
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || views.current !== "write")
    return;
  event.preventDefault();
  if (event.shiftKey) write.retry();
  else if (!write.isWriting) write.continue();
}
