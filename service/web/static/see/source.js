// Which text See looks at: the sheet's, a ready one, or one that came with the address.

import { copyField } from "../keep/clipboard.js";
import { byId, el } from "../dom.js";
import { notify } from "../notices.js";
import { followerOf } from "./names.js";
import { addressOf, readAddress, SAMPLES } from "./samples.js";

export class Source {
  #linked = null; // the text of the address
  #followed = ""; // the address that was followed

  constructor({ manuscript, sheet, models, onChange }) {
    Object.assign(this, { manuscript, sheet, models });
    byId("look-at").append(
      ...Object.entries(SAMPLES).map(([name, { label }]) =>
        el("option", { value: name }, `ours: ${label}`),
      ),
    );
    byId("look-at").addEventListener("change", onChange);
    byId("see-samples").append(...Object.keys(SAMPLES).map((name) => this.#button(name, onChange)));
  }

  /** Of an empty sheet: a ready text by one click. */
  #button(name, onChange) {
    const choose = () => {
      byId("look-at").value = name;
      onChange();
      byId("look-at").focus();
    };
    return el("button", { type: "button", onclick: choose }, SAMPLES[name].label);
  }

  get name() {
    return byId("look-at").value;
  }

  get isSheet() {
    return this.name === "sheet";
  }

  get text() {
    if (this.isSheet) return this.manuscript.text;
    return this.name === "link" ? this.#linked : SAMPLES[this.name].text;
  }

  get caret() {
    return this.isSheet ? this.sheet.selection.end : 0;
  }

  /** The ready text that it is, with what it is to show; undefined for others. */
  get sample() {
    return SAMPLES[this.name];
  }

  /** How it is first seen: a ready text with the unit that it is to show, where one is known. */
  async firstView() {
    if (this.sample) byId("find-targets").value = this.sample.target;
    const model = this.sample && (await this.models.factsOf(this.models.chosen));
    const shown = model && (await followerOf(model.fingerprint, this.sample.target));
    const { layer = null, unit = null } = shown ?? {};
    return { paint: shown ? "unit" : "surprisal", layer, unit, at: this.sample ? 0 : null };
  }

  /** What the address asks for that was not followed yet, or null. */
  async follow() {
    const fragment = location.hash.slice(1);
    const wanted = readAddress(fragment);
    if (!wanted || fragment === this.#followed) return null;
    this.#followed = fragment;
    if (wanted.source === "link") this.#linked = wanted.text;
    byId("look-link").hidden = this.#linked === null;
    byId("look-at").value = wanted.source;
    return wanted.unit === null ? { ...wanted, ...(await this.firstView()) } : wanted;
  }

  /** The address of what is seen, to the clipboard. */
  async copyAddress(facts) {
    const [sample, text] = [this.name in SAMPLES ? this.name : null, facts.text];
    try {
      const fragment = addressOf({ ...facts, sample, text });
      byId("see-address").value = `${location.origin}${location.pathname}#${fragment}`;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      notify(error.message);
      return;
    }
    byId("see-address").hidden = false;
    await copyField(byId("see-address"), byId("see-link"));
  }
}
