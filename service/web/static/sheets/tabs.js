// The tabs that have this page open: they tell each other which sheet they show and what they stored.

import { newId } from "./record.js";

export class Tabs {
  #channel = null;
  #shown = new Map(); // sheets by tab, the others'
  #sheet = null;

  /** `hear` is called with what other tabs tell: {kind, sheet, ...}. */
  constructor(hear) {
    this.id = newId();
    if (!("BroadcastChannel" in globalThis)) return;
    this.#channel = new BroadcastChannel("strophe");
    this.#channel.onmessage = ({ data }) => (this.#note(data), hear(data));
    addEventListener("pagehide", () => this.tell("left"));
    addEventListener("pageshow", ({ persisted }) => persisted && this.show(this.#sheet));
  }

  tell(kind, facts = {}) {
    this.#channel?.postMessage({ kind, tab: this.id, ...facts });
  }

  /** This tab shows a sheet from now on. */
  show(sheet) {
    this.#sheet = sheet;
    this.tell("opened", { sheet });
  }

  /** Ask all anew which sheets they show: one that was killed does not say so. */
  ask() {
    this.#shown.clear();
    this.tell("who");
  }

  isElsewhere(sheet) {
    return [...this.#shown.values()].includes(sheet);
  }

  #note({ kind, tab, sheet }) {
    if (kind === "opened" || kind === "present") this.#shown.set(tab, sheet);
    if (kind === "left") this.#shown.delete(tab);
    if (kind === "opened") this.tell("present", { sheet: this.#sheet, greets: tab });
    if (kind === "who") this.tell("present", { sheet: this.#sheet });
  }
}
