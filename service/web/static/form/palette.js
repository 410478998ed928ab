// Rhymes at a line's end: words that rhyme, by their syllables, the likeliest first. A click puts
// one in.

import { getJson } from "../service/client.js";
import { el } from "../dom.js";
import { counted } from "../text/numbers.js";

const MOST = 40;

export class Palette {
  #node = null;
  #button = null;

  /** Show under a row what rhymes with a word, or close it again. Raises ServiceError. */
  async toggle(row, { word, context, model, onTake }) {
    const button = row.querySelector("[data-act=rhymes]");
    const isOpen = this.#button === button;
    this.close();
    if (isOpen) return;
    this.#button = button;
    this.#node = el("div", { class: "palette", role: "group" }, "listening …");
    button.setAttribute("aria-expanded", "true");
    row.append(this.#node);
    const node = this.#node;
    try {
      const found = await getJson("/v1/rhymes", { body: { word, context, model, limit: MOST } });
      node.setAttribute("aria-label", `Rhymes with ${found.word}`);
      node.replaceChildren(
        el("p", { class: "meaning" }, `Rhymes with ${found.word}`),
        ...found.groups.map((group) => groupOf(group, onTake)),
      );
      node.scrollIntoView({ block: "nearest" });
    } catch (error) {
      if (node === this.#node) this.close();
      throw error;
    }
  }

  close() {
    this.#node?.remove();
    this.#button?.setAttribute("aria-expanded", "false");
    this.#node = this.#button = null;
  }
}

function groupOf({ syllables, words }, onTake) {
  const button = ({ word }) =>
    el("button", { type: "button", "data-rhyme": word, onclick: () => onTake(word) }, word);
  return el(
    "div",
    { class: "row" },
    el("span", { class: "meaning" }, counted(syllables, "syllable")),
    ...words.map(button),
  );
}
