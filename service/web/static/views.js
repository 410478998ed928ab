// The views of one text. Which one is open stands in the address (`#view=see`) and in the history; all but
// Write are fetched when they are first opened.

import { byId } from "./dom.js";
import { fetched } from "./lazy.js";
import { notify } from "./notices.js";

const NAMES = ["write", "see", "compare", "why"]; // each but Write with `./see/see.js` and `./see/see.css`
const KEPT = ["sheet"]; // of what the address says, this is no view's own

export class Views {
  #opened = {};
  #shown = ["write"];
  #beside = null;

  constructor(parts) {
    this.parts = { ...parts, views: this };
    this.current = "write";
    for (const name of NAMES) {
      byId(`tab-${name}`).addEventListener("click", () => this.open(name));
      byId(`tab-${name}`).addEventListener("keydown", (event) => this.#onKey(event));
    }
    addEventListener("popstate", () => this.#show(addressed()));
  }

  /** Open the view that the address names. */
  start() {
    return this.#show(addressed());
  }

  /** Go to a view; the browser's Back leads back. */
  open(name) {
    if (name !== addressed()) history.pushState(null, "", addressOf(name));
    return this.#show(name);
  }

  /** Show another view beside Write, or none (null). */
  showBeside(name) {
    this.#beside = name;
    return this.#show(this.current);
  }

  async #show(name) {
    const before = this.#shown;
    const shown = name === "write" && this.#beside ? [name, this.#beside] : [name];
    this.current = name;
    this.#shown = shown;
    const left = before.filter((each) => !shown.includes(each));
    const hadFocus = left.some((each) => byId(`view-${each}`).contains(document.activeElement));
    document.body.dataset.view = name;
    document.body.dataset.beside = shown[1] ?? "";
    for (const each of NAMES) {
      byId(`tab-${each}`).setAttribute("aria-selected", String(each === name));
      byId(`tab-${each}`).tabIndex = each === name ? 0 : -1;
      byId(`view-${each}`).hidden = !shown.includes(each) || !this.#isHere(each);
    }
    if (hadFocus) byId(`tab-${name}`).focus(); // or the keyboard would begin at the page's top
    for (const each of left) this.#opened[each]?.leave?.();
    await Promise.all(shown.map((each) => this.#open(each)));
  }

  async #open(name) {
    if (!this.#isHere(name)) await this.#fetch(name);
    if (!this.#shown.includes(name) || !this.#isHere(name)) return;
    byId(`view-${name}`).hidden = false;
    await this.#opened[name]?.open();
  }

  #isHere(name) {
    return name === "write" || name in this.#opened;
  }

  async #fetch(name) {
    const module = await fetched(`./${name}/${name}.js`).catch((error) => {
      if (!(error instanceof TypeError)) throw error;
      if (this.#shown.includes(name)) this.#tellOfFailure();
    });
    if (module) this.#opened[name] ??= new module.View(this.parts);
  }

  #tellOfFailure() {
    notify("This view could not be fetched. Your text is safe.", {
      "Try again": () => this.#show(this.current),
      "Load the page anew": () => location.reload(),
    });
  }

  #onKey(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    const next = NAMES[(NAMES.indexOf(this.current) + step + NAMES.length) % NAMES.length];
    byId(`tab-${next}`).focus();
    this.open(next);
  }
}

function addressed() {
  const name = new URLSearchParams(location.hash.slice(1)).get("view");
  return NAMES.includes(name) ? name : "write";
}

/** The address of a view: what it says of the view before is gone. */
function addressOf(name) {
  const before = new URLSearchParams(location.hash.slice(1));
  const kept = new URLSearchParams(name === "write" ? {} : { view: name });
  for (const other of KEPT) if (before.has(other)) kept.set(other, before.get(other));
  return kept.size ? `#${kept}` : location.pathname;
}
