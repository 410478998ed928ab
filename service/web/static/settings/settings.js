// The form with the model's settings. Values that are out of bounds are told beside their field.

import { byId, el } from "../dom.js";
import { complete, essential, fault, fieldOf, FIELDS, PRESETS, READ, SHOWN } from "./fields.js";
import { Length, USUAL_LENGTH } from "./length.js";
import { readNumber } from "../text/numbers.js";

const CHOSEN = ["basic", "choice", "penalty"]; // groups of fields that presets choose among
const isFree = ({ name, group }) => !CHOSEN.includes(group) || name === "seed" || name === "avoid";

export class Settings {
  #inputs = {};
  #listeners = [];

  constructor() {
    for (const field of FIELDS) byId(`fields-${field.group}`).append(this.#row(field));
    for (const name of Object.keys(PRESETS)) {
      byId("presets").append(
        el(
          "button",
          {
            type: "button",
            "data-preset": name,
            "aria-pressed": "false",
            onclick: () => this.#choose(name),
          },
          name,
        ),
      );
    }
    byId("defaults").addEventListener("click", () => this.set(USUAL_LENGTH));
    this.set(USUAL_LENGTH);
    new Length(this);
  }

  onChange(listener) {
    this.#listeners.push(listener);
  }

  /** Every field's value. Raises RangeError, which says what is wrong. */
  get all() {
    return Object.fromEntries(FIELDS.map((field) => [field.name, this.#sound(field)]));
  }

  /** What is not as by default, faulty fields left out: for what is saved. */
  get essential() {
    const sound = FIELDS.filter((field) => fault(field, this.#value(field)) === null);
    return essential(Object.fromEntries(sound.map((field) => [field.name, this.#value(field)])));
  }

  set(settings) {
    for (const [name, value] of Object.entries(complete(settings))) {
      if (this.#inputs[name]) this.#show(name, value);
    }
    this.#changed();
  }

  /** Change some fields and leave the others. */
  adjust(settings) {
    for (const [name, value] of Object.entries(settings)) this.#show(name, value);
    this.#changed();
  }

  /** A field's value as it stands, sound or not. */
  valueOf(name) {
    return this.#value(fieldOf(name));
  }

  #choose(name) {
    const free = FIELDS.filter(isFree);
    const own = Object.fromEntries(free.map((field) => [field.name, this.#value(field)]));
    this.set({ ...own, ...PRESETS[name] });
  }

  #sound(field) {
    const problem = fault(field, this.#value(field));
    if (problem) throw new RangeError(problem);
    return this.#value(field);
  }

  #value({ name, kind }) {
    const { value } = this.#inputs[name];
    if (kind) return READ[kind](value);
    return value.trim() === "" ? null : readNumber(value);
  }

  #show(name, value) {
    const { kind } = fieldOf(name);
    this.#inputs[name].value = kind ? SHOWN[kind](value) : (value ?? "");
    const slider = byId(`slider-${name}`);
    if (slider) slider.value = value ?? 0;
  }

  #row(field) {
    const id = `field-${field.name}`;
    const about = {
      id,
      "aria-describedby": `${id}-meaning ${id}-fault`,
      oninput: () => this.#edited(field),
    };
    const input = field.kind
      ? el("textarea", { ...about, rows: 1, spellcheck: "false" })
      : el("input", {
          ...about,
          type: "text",
          inputmode: field.step === 1 ? "numeric" : "decimal",
          autocomplete: "off",
          placeholder: field.name === "seed" ? "drawn" : field.isOptional ? "none" : null,
        });
    this.#inputs[field.name] = input;
    return el(
      "div",
      { class: `field field-${field.kind ? "wide" : "narrow"}` },
      el("label", { for: id }, field.label),
      input,
      field.slider ? this.#slider(field) : "",
      el("p", { id: `${id}-meaning`, class: "meaning" }, field.meaning),
      el("p", { id: `${id}-fault`, class: "fault" }),
    );
  }

  #slider({ name, label, slider, step }) {
    const [least, most] = slider.ends;
    const input = el("input", {
      id: `slider-${name}`,
      type: "range",
      min: 0,
      max: slider.most,
      step,
      "aria-label": `${label}, from ${least} to ${most}`,
      oninput: (event) => this.adjust({ [name]: Number(event.target.value) }),
    });
    return el("div", { class: "slider meaning" }, least, input, most);
  }

  #edited(field) {
    const slider = byId(`slider-${field.name}`);
    if (slider) slider.value = this.#value(field) ?? 0;
    this.#changed();
  }

  #changed() {
    for (const field of FIELDS) {
      const problem = fault(field, this.#value(field));
      this.#inputs[field.name].setAttribute("aria-invalid", String(problem !== null));
      byId(`field-${field.name}-fault`).textContent = problem ?? "";
    }
    for (const button of byId("presets").children) {
      button.setAttribute("aria-pressed", String(this.#isPreset(button.dataset.preset)));
    }
    for (const listener of this.#listeners) listener();
  }

  #isPreset(name) {
    const wanted = complete(PRESETS[name]);
    return FIELDS.every((field) => isFree(field) || this.#value(field) === wanted[field.name]);
  }
}
