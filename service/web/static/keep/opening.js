// Opening files, chosen or dropped on the page, as sheets; and all sheets into one file and from one.

import { byId, number } from "../dom.js";
import { saveAs } from "./keep.js";
import { announce, notify } from "../notices.js";
import { FileError, mostOf, readFile } from "./reading.js";
import { isSameText, soundTitle, titleOf } from "../sheets/record.js";
import { textOf } from "../text/piece.js";

/** Connects the buttons and the page, where files may be dropped. */
export function offerToOpen(shelf) {
  const input = byId("files");
  byId("files-open").addEventListener("click", () => input.click());
  input.addEventListener("change", async () => {
    byId("sheets-dialog").close();
    await openFiles(shelf, [...input.files]);
    input.value = "";
  });
  byId("files-save").addEventListener("click", () => saveAll(shelf));
  const holdsFiles = ({ dataTransfer }) => dataTransfer?.types.includes("Files");
  addEventListener("dragover", (event) => holdsFiles(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault(); // or the browser would leave the page for the file
    openFiles(shelf, [...event.dataTransfer.files]);
  });
}

/** Each file's sheets are put with the others, and the first of them is shown. */
async function openFiles(shelf, files) {
  const told = [];
  const opened = [];
  for (const file of files) {
    try {
      for (const sheet of await sheetsOf(file)) opened.push(await take(shelf, sheet));
    } catch (error) {
      if (!(error instanceof FileError || error instanceof DOMException)) throw error;
      const why =
        error instanceof FileError ? error.message : "could not be stored in this browser";
      told.push(`${file.name} ${why}.`);
    }
  }
  const numNew = opened.filter(({ isNew }) => isNew).length;
  if (opened.length) await shelf.open(opened[0].id);
  if (opened.length > 1 || (opened.length && !numNew)) told.unshift(summary(opened.length, numNew));
  if (told.length) notify(told.join(" "));
  else announce("The file is open");
}

async function sheetsOf(file) {
  const isLong = file.size > mostOf(file.name); // not even read
  const bytes = isLong ? { length: file.size } : new Uint8Array(await bytesOf(file));
  return readFile(file.name, bytes);
}

async function bytesOf(file) {
  try {
    return await file.arrayBuffer();
  } catch {
    throw new FileError("cannot be read"); // a folder, or gone
  }
}

function summary(count, numNew) {
  const sheets = count === 1 ? "This sheet" : `${number(count)} sheets`;
  if (numNew === count) return `${sheets} were opened; all are among your sheets.`;
  if (numNew === 0)
    return count === 1 ? "This sheet was here already." : `All ${sheets} were here already.`;
  return `Of ${sheets} ${number(numNew)} are new; the others were here already.`;
}

/** Put a sheet with the others unless the same is there: {id, isNew}. One that is there with another
 * text stays, and what comes is a copy beside it. */
async function take(shelf, { id, title, content }) {
  const heads = (await shelf.heads()).filter(({ deleted }) => deleted === null);
  const { length } = textOf(content.spans);
  for (const head of heads.filter((each) => each.length === length)) {
    const found = await shelf.read(head.id);
    if (found && isSameText(found.content.spans, content.spans))
      return { id: head.id, isNew: false };
  }
  const isTaken = id !== null && id !== undefined && (await shelf.read(id)) !== null;
  const other = isTaken && heads.find((head) => head.id === id);
  const sound = title === null ? null : soundTitle(title);
  const facts = { title: other ? `${sound ?? titleOf(other)} (from a file)` : sound };
  const head = await shelf.add(isTaken || !id ? facts : { ...facts, id }, content);
  return { id: head.id, isNew: true };
}

/** All sheets but the deleted ones, as one file. */
async function saveAll(shelf) {
  const sheets = [];
  for (const { id, title, deleted } of await shelf.heads()) {
    if (deleted !== null) continue;
    const { content } = await shelf.read(id);
    sheets.push({ id, title, spans: content.spans, generations: content.generations });
  }
  if (!sheets.length) return announce("There is no sheet yet");
  const saved = new Date().toISOString();
  saveAs(
    "strophe-sheets.json",
    "application/json",
    JSON.stringify({ sheets, saved }, null, 1) + "\n",
  );
}
