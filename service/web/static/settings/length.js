// How long a text becomes, as one choice: so many stanzas, lines or characters, or to the poem's end.
// It is a view of the fields that say where a text ends, with bounds far enough behind for the text to
// end as it should.

import { byId, el } from "../dom.js";
import { readNumber } from "../text/numbers.js";

const STANZA = { soft_end: 600, max_tokens: 1000 }; // where a model knows no stanzas, a line's end
const LINE = { max_tokens: 200 };
const POEM = { soft_end: 4000, max_tokens: 4400 };
const ROOM = 400; // behind a soft end; all texts have ended after 150
const FREE = { max_lines: null, max_stanzas: null, soft_end: null };

const times = (bounds, count) =>
  Object.fromEntries(Object.entries(bounds).map(([name, value]) => [name, value * count]));

const UNITS = {
  stanzas: {
    label: "stanzas",
    meaning: "Ends with the end of a stanza.",
    usual: 1,
    counts: "max_stanzas",
    fields: (count) => ({ ...FREE, max_stanzas: count, ...times(STANZA, count) }),
  },
  lines: {
    label: "lines",
    meaning: "Ends with the end of a line; the one that you have begun is the first.",
    usual: 4,
    counts: "max_lines",
    fields: (count) => ({ ...FREE, max_lines: count, ...times(LINE, count) }),
  },
  poem: {
    label: "to the poem’s end",
    meaning: "Ends where the poem does, or after a stanza when it has become very long.",
    fields: () => ({ ...FREE, ...POEM }),
  },
  about: {
    label: "characters or so",
    meaning: "Ends with the stanza or the line behind so many characters.",
    usual: 300,
    counts: "soft_end",
    fields: (count) => ({ ...FREE, soft_end: count, max_tokens: count + ROOM }),
  },
  exactly: {
    label: "characters at most",
    meaning: "Ends after so many characters, in the middle of a word if need be.",
    usual: 256,
    counts: "max_tokens",
    fields: (count) => ({ ...FREE, max_tokens: count }),
  },
};
const OWN = { label: "as in More settings", meaning: "Ends as the fields in More settings say." };

/** Where a text ends unless something else is chosen. */
export const USUAL_LENGTH = UNITS.stanzas.fields(1);

export class Length {
  #unit = null;

  constructor(settings) {
    this.settings = settings;
    const option = ([name, { label }]) => el("option", { value: name }, label);
    const options = [...Object.entries(UNITS), ["own", OWN]].map(option);
    options.at(-1).disabled = true;
    this.select = el(
      "select",
      { id: "length-unit", "aria-describedby": "length-meaning", onchange: () => this.#choose() },
      ...options,
    );
    this.number = el("input", {
      id: "length-number",
      type: "text",
      inputmode: "numeric",
      autocomplete: "off",
      "aria-label": "How many",
      "aria-describedby": "length-fault",
      oninput: () => this.#apply(),
    });
    byId("field-seed").parentElement.before(
      el(
        "div",
        { class: "field field-length" },
        el("label", { for: "length-unit" }, "Length"),
        el("span", { class: "row" }, this.number, this.select),
        el("p", { id: "length-meaning", class: "meaning" }),
        el("p", { id: "length-fault", class: "fault" }),
      ),
    );
    settings.onChange(() => this.#show());
    this.#show();
  }

  #choose() {
    const unit = UNITS[this.select.value];
    this.number.value = String(unit.usual ?? "");
    this.#apply();
  }

  /** What is no number goes into the field that counts, which says so. */
  #apply() {
    this.#unit = this.select.value;
    const { counts, fields } = UNITS[this.#unit];
    const count = readNumber(this.number.value);
    const asked = fields(count);
    const isSound = !counts || Number.isFinite(count);
    this.settings.adjust(isSound ? asked : { ...FREE, [counts]: this.number.value || "?" });
    this.#unit = null;
  }

  #show() {
    const unit = this.#unit ?? this.#standing();
    const { counts, meaning } = UNITS[unit] ?? OWN;
    this.select.value = unit;
    this.number.hidden = counts === undefined;
    if (counts && this.#unit === null) this.number.value = this.settings.valueOf(counts);
    byId("length-meaning").textContent = meaning;
    const fault = counts ? byId(`field-${counts}-fault`).textContent : "";
    byId("length-fault").textContent = fault;
    this.number.setAttribute("aria-invalid", String(fault !== ""));
  }

  /** The unit whose fields are those that stand. */
  #standing() {
    const isSame = ([name, value]) => this.settings.valueOf(name) === value;
    const stands = ({ counts, fields }) =>
      Object.entries(fields(counts && this.settings.valueOf(counts))).every(isSame);
    const found = Object.entries(UNITS).find(([, unit]) => stands(unit));
    return found ? found[0] : "own";
  }
}
