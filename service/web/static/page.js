// The page around the sheet from start to end: makes the parts and connects them.

import { askForKeysWith } from "./service/client.js";
import { byId, isComposing, pressedEarly } from "./dom.js";
import { Tools } from "./form/tools.js";
import { askForKey } from "./service/key.js";
import { cleanAddress, readFragment } from "./keep/link.js";
import { fetched } from "./lazy.js";
import { Models } from "./service/models.js";
import { fitSmallWindows, hideSettings, showSetting } from "./narrow.js";
import { notify } from "./notices.js";
import { Settings } from "./settings/settings.js";
import { earlier } from "./sheets/recovery.js";
import { readSettings } from "./settings/fields.js";
import { recall, remember } from "./keep/store.js";
import { Shelf } from "./sheets/shelf.js";
import { Views } from "./views.js";
import { Write } from "./write/write.js";

const OF_LATER = "#sheets-open, #copy-text, #beside-toggle, #save-txt, #save-md, #save-json, #copy-link";

/** Make all parts around a sheet; gives what writes on it. */
export function connect({ manuscript, sheet }) {
  const kept = recall("settings") ?? earlier(); // earlier releases kept them with the sheet
  const settings = new Settings();
  const models = new Models();
  askForKeysWith(askForKey, () => models.load({ isQuiet: true }));
  const write = new Write({ manuscript, sheet, settings, models });
  const views = new Views({ manuscript, sheet, settings, models, write });
  new Tools({ manuscript, sheet, models, write });
  const shelf = new Shelf({ manuscript, sheet, write });
  if (kept) settings.set(readSettings(kept.settings ?? {}));
  models.choose(kept?.model);
  const parts = { manuscript, sheet, settings, models, write, views, shelf };
  connectButtons(parts);
  start(parts);
  return write;
}

function connectButtons({ settings, models, write, views, shelf }) {
  const keep = () => remember("settings", { settings: settings.essential, model: models.chosen });
  keep();
  settings.onChange(keep);
  models.onChange(keep);
  byId("keep-seed").addEventListener(
    "click",
    () => write.seed.value === null || settings.adjust({ seed: write.seed.value }),
  );
  byId("who-wrote").addEventListener("change", (event) =>
    byId("ink").classList.toggle("plain", !event.target.checked),
  );
  fitSmallWindows();
  byId("save").addEventListener("click", showKeeping);
  byId("form-link").addEventListener("click", () => {
    hideSettings();
    if (byId("form-panel").hidden) byId("form-toggle").click();
  });
  byId("sheet-new").addEventListener("click", () => shelf.startNew());
  addEventListener("keydown", (event) => onKey(event, { write, views }));
}

async function start(parts) {
  const { models, shelf, views } = parts;
  const pressAgain = pressedEarly(OF_LATER);
  const asked = readFragment(location.hash.slice(1));
  views.start();
  const listed = models.load();
  await shelf.begin(asked.sheet);
  views.start(); // once more: a view that was quicker has seen no sheet yet
  const connected = connectLater(parts, pressAgain);
  await listed;
  if (!asked.link) welcome(parts);
  connected.then(keepForOffline);
  await follow(asked, parts);
  addEventListener("hashchange", () => follow(readFragment(location.hash.slice(1)), parts));
}

/** Connect what may wait until one can write. */
async function connectLater(parts, pressAgain) {
  const later = await fetched("./later.js", "./sheets/sheets.css").catch((error) => {
    if (!(error instanceof TypeError)) throw error;
    notify("The list of sheets, files and reading aloud could not be fetched. You can write all the same.", {
      "Try again": () => connectLater(parts, pressAgain),
    });
  });
  later?.connect(parts);
  if (later) pressAgain();
}

/** Go to what the address asks for, which then no longer does. */
async function follow({ link, sheet: id }, parts) {
  if (!link && !id) return;
  history.replaceState(null, "", cleanAddress(location));
  if (link) await openLink(link, parts);
  else await parts.shelf.open(id);
}

/** The link's piece is written anew, on a sheet of its own. */
async function openLink(link, { models, settings, sheet, shelf, write }) {
  const { text, model, settings: wanted } = link;
  const { openLinked } = await import("./sheets/linked.js");
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
async function welcome({ manuscript, sheet }) {
  if (manuscript.text || recall("met")) return;
  const sample = await fetched("./write/sample.js").catch(() => null); // the sheet is as good without
  if (!manuscript.text) sample?.show({ manuscript, sheet });
}

/** The files are in the settings, which a small window hides. */
function showKeeping() {
  showSetting(byId("keeping"));
  byId("save-txt").focus();
}

function onKey(event, { write, views }) {
  if (isComposing(event) || document.querySelector("dialog[open], :popover-open")) return;
  if (event.key === "Escape" && write.isWriting) write.stop();
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || views.current !== "write")
    return;
  event.preventDefault();
  if (event.shiftKey) write.retry();
  else if (!write.isWriting) write.continue();
}

/** Has the browser keep the page, where it can: over HTTPS, or on this machine. */
function keepForOffline() {
  const later = globalThis.requestIdleCallback ?? setTimeout; // after what the page itself needs
  later(() => navigator.serviceWorker?.register("/worker.js").catch(() => {})); // it works without
}
