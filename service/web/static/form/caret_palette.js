// The palette at the caret: words that rhyme, in a list that keys walk through. It knows nothing of
// where a word goes.

import { ServiceError } from "../service/client.js";
import { byId, el } from "../dom.js";
import { sentence } from "../notices.js";
import { caretBox } from "../sheet/caret_box.js";
import { counted } from "../text/numbers.js";

const STEPS = { ArrowLeft: -1, ArrowRight: 1 };

export class CaretPalette {
  #node = null;
  #list = null;
  #asked = 0;

  constructor(sheet) {
    this.sheet = sheet;
  }

  /** Show what `find` gives for the first of `words`; the others are a key away. */
  async open({ position, words, find, onTake }) {
    this.close();
    Object.assign(this, { find, onTake });
    this.#list = el("div", {
      role: "group", // a listbox as soon as it has options
      tabindex: "0",
      class: "rhyme-list",
      onkeydown: (event) => this.#onKey(event),
    });
    const button = (word) =>
      el("button", { type: "button", "data-word": word, onclick: () => this.#show(word) }, word);
    const head = el("div", { class: "row meaning" }, "Rhymes with", ...words.map(button));
    this.#node = el(
      "div",
      {
        id: "rhymes",
        role: "dialog",
        "aria-label": "Rhymes",
        onkeydown: (event) => this.#onEscape(event),
      },
      head,
      this.#list,
      el("p", { class: "meaning" }, "Arrows choose, Enter takes, Esc closes."),
    );
    this.#node.addEventListener("focusout", ({ relatedTarget }) => {
      if (!this.#node?.contains(relatedTarget)) this.close();
    });
    this.#place(position);
    this.#list.focus({ preventScroll: true });
    await this.#show(words[0]);
  }

  close() {
    const node = this.#node;
    this.#node = null; // first, since removing it takes the focus away
    node?.remove();
  }

  #place(position) {
    byId("stack").append(this.#node);
    const box = caretBox(this.sheet, position);
    const stack = byId("stack").getBoundingClientRect();
    const room = stack.width - this.#node.offsetWidth - 8;
    this.#node.style.left = `${Math.max(Math.min(box.left - stack.left, room), 8)}px`;
    this.#node.style.top = `${box.bottom - stack.top + 4}px`;
  }

  async #show(word) {
    const asked = ++this.#asked;
    for (const each of this.#node.querySelectorAll("[data-word]"))
      each.setAttribute("aria-pressed", String(each.dataset.word === word));
    this.#list.setAttribute("aria-label", `Rhymes with ${word}`);
    this.#list.removeAttribute("aria-activedescendant");
    this.#list.setAttribute("role", "group");
    this.#list.replaceChildren("listening …");
    const parts = await this.find(word).then(({ groups }) => groups.map(groupOf), told);
    if (!this.#node || asked !== this.#asked) return;
    this.#list.replaceChildren(...parts);
    for (const option of this.#options) option.addEventListener("click", () => this.#take(option));
    this.#list.setAttribute("role", this.#options.length ? "listbox" : "group");
    if (this.#options.length) this.#choose(this.#options[0]);
    this.#node.scrollIntoView({ block: "nearest" });
  }

  get #options() {
    return [...this.#list.querySelectorAll("[role=option]")];
  }

  get #chosen() {
    return this.#list.querySelector("[aria-selected=true]");
  }

  #choose(option) {
    this.#chosen?.setAttribute("aria-selected", "false");
    option.setAttribute("aria-selected", "true");
    this.#list.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }

  #take(option) {
    this.close();
    this.onTake(option.dataset.rhyme);
    this.sheet.area.focus();
  }

  #onEscape(event) {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    this.close();
    this.sheet.area.focus();
  }

  #onKey(event) {
    const options = this.#options;
    const at = options.indexOf(this.#chosen);
    if (at < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const next = this.#goal(event.key, options, at);
    if (next) this.#choose(next);
    else if (event.key === "Enter" || event.key === " ") this.#take(options[at]);
    else return;
    event.preventDefault();
  }

  #goal(key, options, at) {
    if (key in STEPS) return options[at + STEPS[key]] ?? options[at];
    if (key === "ArrowDown") return rowFrom(options[at], options.slice(at)) ?? options[at];
    if (key === "ArrowUp")
      return rowFrom(options[at], options.slice(0, at).toReversed()) ?? options[at];
    if (key === "Home") return options[0];
    if (key === "End") return options.at(-1);
    if (!/^\p{L}$/u.test(key)) return null;
    const begins = ({ dataset }) => dataset.rhyme.toLowerCase().startsWith(key.toLowerCase());
    return [...options.slice(at + 1), ...options].find(begins) ?? options[at];
  }
}

/** The nearest option in the next row among those that follow. */
function rowFrom(option, options) {
  const rest = options.filter((each) => each.offsetTop !== option.offsetTop);
  const row = rest.filter((each) => each.offsetTop === rest[0].offsetTop);
  const far = (each) => Math.abs(each.offsetLeft - option.offsetLeft);
  return row.toSorted((one, other) => far(one) - far(other))[0];
}

function groupOf({ syllables, words }) {
  const name = counted(syllables, "syllable");
  const option = ({ word }) =>
    el(
      "span",
      { role: "option", id: `rhyme-${word}`, "aria-selected": "false", "data-rhyme": word },
      word,
    );
  const label = el("span", { class: "meaning", "aria-hidden": "true" }, name);
  return el(
    "div",
    { role: "group", class: "row", "aria-label": name },
    label,
    ...words.map(option),
  );
}

function told(error) {
  if (!(error instanceof ServiceError)) throw error;
  return [sentence(error.message)];
}
