// Keeps the sheet that is open: stores it soon after each change, and notes what could not be stored yet
// when the page is left. Where another tab has changed the sheet meanwhile, neither text overwrites the
// other: what is here becomes a sheet of its own.

import { LOADED } from "../text/manuscript.js";
import { note, strike } from "./journal.js";
import { contentOf, isSameText, newHead, newId, summaryOf, titleOf } from "./record.js";

const PAUSE_MS = 300; // after the last change
const LATEST_MS = 1000; // after the first, while one goes on
const RETRY_MS = 5000;

export class Keeper {
  #changes = 0; // since the sheet was opened
  #stored = 0; // how many of them are stored
  #timer = null;
  #since = 0;
  #storing = null;

  /** `database` may be a promise. `told` has {stored, parted, failed}, functions of what became of it. */
  constructor({ database, manuscript, tab, caretOf, told }) {
    Object.assign(this, { database, manuscript, tab, caretOf, told });
    this.head = newHead();
    if (manuscript.text) this.changed(); // typed before the page was ready
    manuscript.onChange(({ origin }) => origin !== LOADED && this.changed());
    addEventListener("pagehide", () => this.#leave());
    document.addEventListener("visibilitychange", () => document.hidden && this.#leave());
  }

  get isBusy() {
    return this.#storing !== null || this.#changes !== this.#stored;
  }

  /** Whether nobody has ever written on this sheet. */
  get isUntouched() {
    return this.head.revision === 0 && this.#changes === 0;
  }

  /** Keep this sheet from now on, whose content is as it was stored. */
  hold(head) {
    this.head = head;
    this.#changes = this.#stored = 0;
    clearTimeout(this.#timer);
  }

  /** Store what is not stored yet. False where that cannot be. */
  async flush() {
    while (this.isBusy) if (!(await this.#store())) return false;
    return true;
  }

  /** The content is another one than was stored. */
  changed() {
    const now = performance.now();
    if (this.#changes++ === this.#stored) this.#since = now;
    this.#later(Math.max(Math.min(PAUSE_MS, this.#since + LATEST_MS - now), 0));
  }

  #later(wait_ms) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#store(), wait_ms);
  }

  /** One at a time, since each rests on the one before. */
  #store() {
    this.#storing ??= this.#attempt().finally(() => (this.#storing = null));
    return this.#storing;
  }

  async #attempt() {
    const upTo = this.#changes;
    if (upTo === this.#stored) return true;
    try {
      const database = await this.database;
      const content = contentOf(this.manuscript);
      const stored = await database.store(this.#described(content), content);
      if (!stored) return await this.#part(database, content, upTo);
      this.#settle(stored, upTo);
      this.told.stored(database);
      return true;
    } catch (error) {
      this.told.failed(error);
      this.#later(RETRY_MS);
      return false;
    }
  }

  #described(content) {
    const facts = { changed: Date.now(), caret: this.caretOf(), writer: this.tab };
    return { ...this.head, ...summaryOf(content.spans), ...facts };
  }

  #settle(head, upTo) {
    this.head = head;
    this.#stored = upTo;
    this.#since = performance.now();
    strike(this.tab);
    if (this.#changes !== upTo) this.#later(PAUSE_MS);
  }

  /** Another tab has stored this sheet: what is here goes on as another sheet, if it differs. */
  async #part(database, content, upTo) {
    const other = await database.read(this.head.id);
    if (other && isSameText(other.content.spans, content.spans)) {
      this.#settle(other.head, upTo);
      return true;
    }
    const from = this.head.id;
    const title = `${titleOf({ ...this.head, ...summaryOf(content.spans) })} (from the other tab)`;
    this.head = newHead({ id: newId(), title });
    this.told.parted(from, title);
    this.#later(0);
    return true;
  }

  #leave() {
    if (!this.isBusy) return;
    const content = contentOf(this.manuscript);
    note(this.tab, this.#described(content), content);
    this.#store();
  }
}
