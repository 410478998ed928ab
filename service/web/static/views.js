// The three views of one text. See and Compare are fetched when they are first opened.

import { byId } from "./dom.js";

const NAMES = ["write", "see", "compare"];
const MODULES = { see: "./see/see.js", compare: "./compare/compare.js" };

export class Views {
  #opened = {};

  constructor(parts) {
    this.parts = { ...parts, views: this };
    this.current = "write";
    for (const name of NAMES) {
      byId(`tab-${name}`).addEventListener("click", () => this.open(name));
      byId(`tab-${name}`).addEventListener("keydown", (event) => this.#onKey(event));
    }
  }

  async open(name) {
    this.current = name;
    document.body.dataset.view = name;
    for (const each of NAMES) {
      byId(`tab-${each}`).setAttribute("aria-selected", String(each === name));
      byId(`tab-${each}`).tabIndex = each === name ? 0 : -1;
      byId(`view-${each}`).hidden = each !== name;
    }
    if (name !== "write") (await this.#view(name)).open();
  }

  async #view(name) {
    this.#opened[name] ??= import(MODULES[name]).then(({ View }) => new View(this.parts));
    return this.#opened[name];
  }

  #onKey(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    const next = NAMES[(NAMES.indexOf(this.current) + step + NAMES.length) % NAMES.length];
    byId(`tab-${next}`).focus();
    this.open(next);
  }
}
