// A section that is sung again in the same words, such as a chorus: when one of them is changed,
// the others are offered to be changed likewise.

import { byId } from "../dom.js";
import { announce } from "../notices.js";
import { LOADED } from "../text/manuscript.js";
import { sectionsOf } from "../text/sections.js";

const AFTER_MS = 500; // without a change

export class Choruses {
  #timer = null;
  #known; // the sections before what is offered was changed
  #offered = null; // {at, others}, indices of sections

  constructor(manuscript) {
    this.manuscript = manuscript;
    this.#known = bodies(manuscript.text);
    manuscript.onChange(({ origin }) => (origin === LOADED ? this.#settle() : this.#later()));
    byId("chorus-all").addEventListener("click", () => this.#changeOthers());
    byId("chorus-leave").addEventListener("click", () => this.#settle());
    byId("chorus-offer").dataset.watched = "";
  }

  #later() {
    clearTimeout(this.#timer);
    if (bodies(this.manuscript.text).length !== this.#known.length) return this.#settle();
    this.#timer = setTimeout(() => this.#look(), AFTER_MS);
  }

  #look() {
    const now = bodies(this.manuscript.text);
    this.#offered = changedOne(this.#known, now);
    if (!this.#offered) return this.#settle();
    const { at, others } = this.#offered;
    const { kind } = now[at];
    const isOne = others.length === 1;
    byId("chorus-told").textContent = isOne
      ? `There is another ${kind} as this one was.`
      : `There are ${others.length} others as this ${kind} was.`;
    byId("chorus-all").textContent = isOne ? "Change it too" : "Change them too";
    byId("chorus-offer").hidden = false;
  }

  /** What stands now is as it should be. */
  #settle() {
    clearTimeout(this.#timer);
    this.#known = bodies(this.manuscript.text);
    this.#offered = null;
    byId("chorus-offer").hidden = true;
  }

  #changeOthers() {
    this.#look(); // what was typed since
    if (!this.#offered) return;
    const { manuscript } = this;
    const sections = bodies(manuscript.text);
    const { at, others } = this.#offered;
    const words = manuscript.piece.slice(sections[at].start, sections[at].end);
    const step = Symbol("choruses"); // undone at once
    for (const { start, end } of others.map((index) => sections[index]).reverse())
      manuscript.change(start, end, words, { step });
    this.#settle();
    announce("The others were changed too");
    byId("text").focus();
  }
}

const bodies = (text) =>
  sectionsOf(text)
    .filter(({ body }) => body.text)
    .map(({ kind, body }) => ({ kind, ...body }));

/** The one section that differs, and those that say what it said; null where there is no such. */
function changedOne(known, now) {
  if (known.length !== now.length) return null;
  if (known.some(({ kind }, index) => kind !== now[index].kind)) return null;
  const changed = now.flatMap(({ text }, index) => (text === known[index].text ? [] : [index]));
  if (changed.length !== 1) return null;
  const [at] = changed;
  const isTwin = ({ kind, text }, index) =>
    index !== at && kind === known[at].kind && text === known[at].text;
  const others = known.flatMap((section, index) => (isTwin(section, index) ? [index] : []));
  return others.length ? { at, others } : null;
}
