// The page from start to end: makes the parts and connects them.

import { askForKeysWith } from "./service/client.js";
import { byId, isComposing } from "./dom.js";
import { copyField } from "./keep/clipboard.js";
import { Tools } from "./form/tools.js";
import { askForKey } from "./service/key.js";
import { offerToKeep } from "./keep/keep.js";
import { readFragment } from "./keep/link.js";
import { fetched } from "./lazy.js";
import { Manuscript } from "./text/manuscript.js";
import { Models } from "./service/models.js";
import { fitSmallWindows, hideSettings, showSetting } from "./narrow.js";
import { notify } from "./notices.js";
import { ME } from "./text/piece.js";
import { Settings } from "./settings/settings.js";
import { Sheet } from "./sheet/sheet.js";
import { keeper, recall, restore } from "./keep/store.js";
import { Views } from "./views.js";
import { Aloud } from "./write/aloud.js";
import { Write } from "./write/write.js";

askForKeysWith(askForKey, () => models.load({ isQuiet: true }));
const kept = restore();
const linked = readFragment(location.hash.slice(1));
const manuscript = new Manuscript(kept?.spans, kept?.generations);
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

settings.set(kept?.settings ?? {});
models.choose(kept?.model);
sheet.select(kept?.caret ?? manuscript.text.length);
connect();
start();

function connect() {
  const keep = keeper(
    () => ({
      spans: manuscript.piece.spans,
      generations: Object.fromEntries(manuscript.standing.map(({ by, ...facts }) => [by, facts])),
      settings: settings.essential,
      model: models.chosen,
      caret: byId("text").selectionStart,
    }),
    () => notify("This browser does not keep the text: save it as a file before you leave."),
  );
  manuscript.onChange(keep);
  settings.onChange(keep);
  models.onChange(keep);
  offerToKeep(manuscript);
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
  byId("save").addEventListener("click", showKeeping);
  byId("form-link").addEventListener("click", () => {
    hideSettings();
    if (byId("form-panel").hidden) byId("form-toggle").click();
  });
  addEventListener("keydown", onKey);
}

async function start() {
  views.start();
  await models.load();
  welcome();
  if (linked) openLink(linked);
  addEventListener("hashchange", () => {
    const followed = readFragment(location.hash.slice(1));
    if (followed) openLink(followed);
  });
}

/** The link's piece is written anew; what was on the sheet comes back with undo. */
function openLink({ text, model, settings: wanted }) {
  write.stop();
  settings.set(wanted);
  models.choose(model ?? models.chosen);
  const before = manuscript.text;
  history.replaceState(null, "", location.pathname);
  if (before !== text) manuscript.change(0, before.length, text ? [{ text, by: ME }] : []);
  sheet.select(text.length);
  if ("seed" in wanted) write.continue();
  const isMissing = model && models.names.length && !models.names.includes(model);
  const said = [
    isMissing
      ? `The link asks for the model ${model}, which is not here: another one writes something else.`
      : "",
    before && before !== text
      ? "This came with a link. Undo brings back what was on your sheet."
      : "",
  ];
  if (said.some(Boolean)) notify(said.filter(Boolean).join(" "));
}

/** Who comes for the first time sees what this is. */
async function welcome() {
  if (linked || manuscript.text || recall("met")) return;
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
