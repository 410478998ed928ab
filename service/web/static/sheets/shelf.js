// All sheets, and which of them this tab shows. The page begins with a new one; as soon as the browser's
// storage has answered, the last one comes in its place, unless something was written meanwhile.

import { announce, clearNotice, clearStatus, notify } from "../notices.js";
import { openDatabase } from "./database.js";
import { Keeper } from "./keeper.js";
import { newHead, summaryOf, titleOf } from "./record.js";
import { recover } from "./recovery.js";
import { Tabs } from "./tabs.js";
import { moved } from "../text/edit.js";
import { difference, textOf } from "../text/piece.js";
import { askToLast, NO_STORAGE, whyNotStored } from "./trouble.js";

const SHOWN = "strophe.shown"; // in this tab (sessionStorage), and the last one of all (localStorage)
const RECOVERABLE_MS = 30 * 24 * 3600 * 1000;

export class Shelf {
  #listeners = new Set();
  #isWelcoming = false; // other tabs may say that they show the sheet which was just opened
  #trouble = null; // why the last storing failed
  #turn = Promise.resolve(); // sheets are changed one after another
  #numWaiting = 0;

  constructor({ manuscript, sheet, write }) {
    Object.assign(this, { manuscript, sheet, write });
    this.tabs = new Tabs((message) => this.#hear(message));
    this.opening = openDatabase();
    this.keeper = new Keeper({
      database: this.opening,
      manuscript,
      tab: this.tabs.id,
      caretOf: () => sheet.area.selectionStart,
      told: {
        stored: (database) => this.#stored(database),
        parted: (from, title) => this.#parted(from, title),
        failed: (error) => this.#failed(error),
      },
    });
    this.tabs.show(this.keeper.head.id);
    addEventListener("focus", () => this.#takeOver());
    addEventListener("pagehide", () => this.#noteCaret());
  }

  /** Called when the list may have changed, by this tab or another one. */
  onChange(listener) {
    this.#listeners.add(listener);
  }

  /** What was kept is there: shows the sheet `wanted`, or the one that this tab showed last. */
  async begin(wanted) {
    const shown = wanted ?? lastShown(); // before the new one is stored
    const database = await this.opening;
    if (!database.isLasting) notify(NO_STORAGE);
    await recover(database).catch((error) => this.#failed(error));
    const swept = await this.#swept(database);
    const heads = swept.filter(({ id }) => id !== this.keeper.head.id);
    const kept = heads.find(({ id }) => id === shown) ?? heads[0];
    if (this.keeper.isUntouched && !this.write.isWriting) {
      const found = kept && (await this.read(kept.id));
      if (found && this.keeper.isUntouched) this.#show(found.head, found.content);
    } else if (kept && !wanted) this.#tellOfTyping(kept);
  }

  /** Heads of all sheets, the last changed first. */
  async heads() {
    await this.keeper.flush();
    const heads = await (await this.opening).heads();
    return heads.sort((one, other) => other.changed - one.changed);
  }

  async read(id) {
    await this.keeper.flush();
    return (await this.opening).read(id);
  }

  /** Show another sheet; a deleted one is recovered. */
  open = (id) => this.#inTurn(() => this.#open(id));

  async #open(id) {
    if (id === this.keeper.head.id || !(await this.#leave())) return;
    const database = await this.opening;
    const head = await database.amend(id, { deleted: null });
    const found = head && (await database.read(id));
    if (!found) return notify("This sheet is no longer there.");
    if (!(await this.#leave())) return; // what was typed meanwhile
    clearNotice();
    this.#show(found.head, found.content);
  }

  /** A new sheet, with a content if there is one already. False where this one cannot be left. */
  startNew(facts = {}, content = { spans: [] }) {
    return this.#inTurn(() => this.#startNew(facts, content));
  }

  async #startNew(facts, content) {
    const isEmpty = !content.spans.length;
    if (!(isEmpty && this.keeper.isUntouched)) {
      if (!(await this.#leave())) return false;
      clearNotice();
      this.#show(newHead(facts), content);
      if (!isEmpty) this.keeper.changed();
    }
    announce("A new sheet");
    this.sheet.area.focus();
    return true;
  }

  /** Put a sheet with the others without showing it; gives its head. */
  async add(facts, content) {
    const database = await this.opening;
    const head = newHead({ ...facts, ...summaryOf(content.spans) });
    const stored = await database.store(head, { generations: {}, history: {}, ...content });
    this.#changed(head.id);
    return stored;
  }

  async rename(id, title) {
    if (id === this.keeper.head.id) this.keeper.head.title = title;
    await this.#amend(id, { title });
  }

  /** Put a sheet where it can be recovered from for thirty days. */
  delete = (id) => this.#inTurn(() => this.#delete(id));

  async #delete(id) {
    const isShown = id === this.keeper.head.id;
    if (isShown && !(await this.#leave())) return;
    await this.#amend(id, { deleted: Date.now() });
    this.tabs.tell("deleted", { sheet: id });
    if (!isShown) return;
    const next = (await this.heads()).find(({ deleted }) => deleted === null);
    if (next) await this.#open(next.id);
    else this.#show(newHead(), { spans: [] });
  }

  recover = (id) => this.#inTurn(() => this.#amend(id, { deleted: null }));

  /** What is typed meanwhile would come to stand on the wrong sheet. */
  #inTurn(work) {
    const { area } = this.sheet;
    this.#numWaiting++;
    area.readOnly = true;
    const done = this.#turn.then(work).finally(() => (area.readOnly = --this.#numWaiting > 0));
    this.#turn = done.catch(() => {});
    return done;
  }

  async #amend(id, facts) {
    await (await this.opening).amend(id, facts);
    this.#changed(id);
  }

  /** What is on this sheet is stored; false, and told, where that cannot be. */
  async #leave() {
    do {
      this.write.stop();
      if (!(await this.keeper.flush())) return this.#tellOfTrouble();
    } while (this.keeper.isBusy || this.write.isWriting);
    this.#noteCaret();
    return true;
  }

  #show(head, content) {
    this.keeper.hold(head);
    this.manuscript.load(content);
    clearStatus();
    this.sheet.select(Math.min(head.caret ?? Infinity, this.manuscript.text.length));
    remember(head.id);
    this.#isWelcoming = true;
    this.tabs.show(head.id);
    this.#tellHere(head.id);
  }

  async #noteCaret() {
    const { id, revision } = this.keeper.head;
    if (revision === 0) return;
    const database = await this.opening;
    await database.amend(id, { caret: this.sheet.area.selectionStart }).catch(() => {});
  }

  /** Deleted sheets are gone for good after thirty days. Heads of the others, the last changed first. */
  async #swept(database) {
    const heads = await this.heads();
    const until = Date.now() - RECOVERABLE_MS;
    const old = heads.filter(({ deleted }) => deleted !== null && deleted < until);
    for (const { id } of old) await database.remove(id);
    return heads.filter(({ deleted }) => deleted === null);
  }

  #stored(database) {
    const { id, revision } = this.keeper.head;
    if (revision === 1) remember(id);
    if (revision === 1 && database.isLasting) askToLast();
    this.#trouble = null;
    this.tabs.tell("stored", { sheet: id, revision });
    this.#tellHere(id);
  }

  #failed(error) {
    const isNew = this.#trouble === null;
    this.#trouble = error;
    if (isNew) this.#tellOfTrouble();
  }

  #tellOfTrouble() {
    notify(whyNotStored(this.#trouble));
    return false;
  }

  #parted(from, title) {
    this.tabs.tell("parted", { sheet: from, title });
    remember(this.keeper.head.id);
    this.tabs.show(this.keeper.head.id);
    this.#tellHere(from);
    notify(
      "This sheet was changed in two tabs at once. What is here is a sheet of its own from now on: " +
        `“${title}”.`,
    );
  }

  #changed(id) {
    this.tabs.tell("changed", { sheet: id });
    this.#tellHere(id);
  }

  #tellHere(id) {
    for (const listener of this.#listeners) listener(id);
  }

  #hear({ kind, sheet, revision, title, greets }) {
    this.#tellHere(sheet);
    const { head } = this.keeper;
    if (sheet !== head.id) return;
    if (kind === "stored" && revision > head.revision) this.#takeOver();
    if (kind === "deleted") this.#tellOfDeletion();
    if (kind === "parted")
      notify(
        "This sheet was changed in two tabs at once. What was written in the other one is a sheet of " +
          `its own now: “${title}”.`,
      );
    if (kind === "present" && greets === this.tabs.id && this.#isWelcoming) {
      this.#isWelcoming = false;
      notify("This sheet is open in another tab too. What is written there comes here.", {
        "New sheet": () => this.startNew(),
      });
    }
  }

  /** Another tab has stored this sheet, and here nothing is unstored: it is shown as it is there. */
  async #takeOver() {
    const { id, revision } = this.keeper.head;
    const isBusy = () => this.keeper.isBusy || this.write.isWriting || this.sheet.isComposing;
    if (isBusy() || revision === 0) return;
    const found = await (await this.opening).read(id).catch(() => null);
    const { head } = this.keeper;
    if (!found || isBusy() || head.id !== id || found.head.revision <= head.revision) return;
    const [before, after] = [this.manuscript.text, textOf(found.content.spans)];
    const { start, end, text } = difference(before, after, 0);
    const change = { start, removed: end - start, added: text.length };
    const { selection, area } = this.sheet;
    this.keeper.hold(found.head);
    this.manuscript.load(found.content);
    this.sheet.catchUp();
    area.setSelectionRange(moved(selection.start, change), moved(selection.end, change));
    this.#tellHere(id);
  }

  #tellOfDeletion() {
    const { id } = this.keeper.head;
    notify("This sheet was deleted in another tab. It comes back when you write on it.", {
      Recover: () => this.recover(id),
    });
  }

  #tellOfTyping({ id, ...head }) {
    notify("You had begun before your last sheet was there, so this is a new one.", {
      [`Open “${titleOf(head)}”`]: () => this.open(id),
    });
  }
}

function lastShown() {
  try {
    return sessionStorage.getItem(SHOWN) ?? localStorage.getItem(SHOWN);
  } catch {
    return null;
  }
}

function remember(id) {
  try {
    sessionStorage.setItem(SHOWN, id);
    localStorage.setItem(SHOWN, id);
  } catch {
    // then the last changed one is shown
  }
}
