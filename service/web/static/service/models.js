// The models on offer: the picker, and the card of the one that is chosen.

import { getJson } from "./client.js";
import { byId, el, number } from "../dom.js";
import { notify, sentence } from "../notices.js";

export class Models {
  #listeners = [];
  #facts = new Map(); // promises by name
  #wanted = null; // chosen before the list was there
  #listed = ""; // names and purposes, as one text
  #closeNotice = () => {};

  constructor() {
    this.names = [];
    byId("model").addEventListener("change", () => this.#changed());
    addEventListener("focus", () => this.load({ isQuiet: true })); // who comes back may have trained another one
  }

  onChange(listener) {
    this.#listeners.push(listener);
  }

  /** The name to ask for; undefined leaves it to the service. */
  get chosen() {
    return byId("model").value || this.#wanted || undefined;
  }

  async load({ isQuiet = false } = {}) {
    try {
      const { data, default: usual } = await getJson("/v1/models", { isQuiet });
      this.#closeNotice();
      const labels = data.map(({ id, purpose }) => (purpose ? `${id}: ${purpose}` : id));
      if (String(labels) === this.#listed) return;
      this.#listed = String(labels);
      this.names = data.map((model) => model.id);
      const options = data.map(({ id }, at) => el("option", { value: id }, labels[at]));
      const before = this.chosen;
      byId("model").replaceChildren(...options);
      this.choose(this.names.includes(before) ? before : usual);
    } catch (error) {
      if (isQuiet) return;
      const told =
        error.status === 0
          ? "Your sheets are here. To write on by itself the page needs its service, which cannot be reached now."
          : `The models cannot be listed. ${sentence(error.message)}`;
      this.#closeNotice = notify(told, {
        "Try again": () => this.load(),
      });
    }
  }

  choose(name) {
    this.#wanted = name ?? null;
    if (!this.names.includes(name)) return;
    byId("model").value = name;
    this.#changed();
  }

  async #changed() {
    const name = byId("model").value;
    for (const listener of this.#listeners) listener();
    const facts = await this.factsOf(name);
    if (name === byId("model").value) showCard(facts);
  }

  /** What the service tells of a model, asked for once; null where it tells nothing. */
  async factsOf(name) {
    if (!name) return null;
    if (!this.#facts.has(name))
      this.#facts.set(name, getJson(`/v1/models/${encodeURIComponent(name)}`));
    try {
      return await this.#facts.get(name);
    } catch {
      this.#facts.delete(name);
      return null;
    }
  }
}

function showCard(about) {
  byId("card").textContent = about ? about.card : "Nothing is known of it.";
  byId("model-purpose").textContent = about ? purposeOf(about.card) : "";
  byId("model-facts").textContent = about
    ? `${about.cell}, ${about.num_layers} layers of ${number(about.hidden_size)} units, ${number(about.vocab_size)} characters known`
    : "";
}

/** What a model is for: what its card says that it was trained on, or the name of that text. */
function purposeOf(card) {
  const [, told] = /^## What it was trained on.*\n\s*([^]+?\.)(?=\s|$)/m.exec(card) ?? [];
  const [, corpus] = /^\| corpus \| (.+?) \|/m.exec(card) ?? [];
  const plain = told?.replace(/\s*\([^)]*\)/g, "").replace(/\s+/g, " ");
  return plain ?? (corpus ? `It has read ${corpus}.` : "");
}
