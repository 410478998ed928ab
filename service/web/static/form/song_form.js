// The form that a songwriter arranges: which sections there are, and the pattern of each kind.

import { byId, el } from "../dom.js";
import { sectionsOf } from "../text/sections.js";
import { arranged, FIRST, linesLike, patternFor, patternOf, sectionsIn } from "./arrangement.js";
import { linesIn } from "./poem.js";
import { analysisOf } from "./readings.js";

export const OWN = {
  name: "own-song",
  description: "sections that you arrange, each kind with its rhymes and syllables",
};

export class SongForm {
  #patterns = {};

  constructor(onChange) {
    byId("form-sections").addEventListener("input", () => this.#list());
    byId("form-patterns").addEventListener("input", ({ target }) => {
      this.#patterns[target.dataset.kind] = target.value;
    });
    this.onChange = onChange;
    this.restore(FIRST);
  }

  get kept() {
    return { sections: byId("form-sections").value, patterns: this.#patterns };
  }

  restore({ sections, patterns }) {
    const isText = ([, pattern]) => typeof pattern === "string";
    this.#patterns = Object.fromEntries(Object.entries(patterns ?? {}).filter(isText));
    byId("form-sections").value = String(sections ?? FIRST.sections);
    this.#list();
  }

  /** {spec, labels}. Raises RangeError. */
  get arranged() {
    return arranged(byId("form-sections").value, this.#patterns);
  }

  /** Take over what stands on the sheet: its sections, and how the first of each kind goes. Raises
   * RangeError where it has none, and ServiceError. */
  async measure(text, model) {
    const sections = sectionsOf(text).filter(({ body }) => body.text);
    if (!sections.length)
      throw new RangeError("The sheet has no sections yet: name them, such as [Verse 1].");
    const firsts = [...new Map(sections.toReversed().map((each) => [each.kind, each])).values()];
    const parts = firsts.map(({ body }) => linesIn(text, body));
    const said = (await analysisOf(parts, model)).lines;
    const patterns = firsts.map(({ kind }, index) => [
      kind,
      patternOf(linesLike(said.splice(0, parts[index].length))),
    ]);
    const kinds = sections.map(({ kind }) => kind.replace(" ", "-"));
    this.restore({ sections: kinds.join(" "), patterns: Object.fromEntries(patterns) });
    this.onChange();
  }

  #list() {
    const kinds = [...new Set(sectionsIn(byId("form-sections").value))];
    const shown = [...byId("form-patterns").children].map(({ dataset }) => dataset.for);
    if (String(kinds) === String(shown)) return this.#fill();
    const input = (kind) =>
      el("input", {
        "data-kind": kind,
        size: 14,
        maxlength: 160,
        autocomplete: "off",
        spellcheck: "false",
      });
    byId("form-patterns").replaceChildren(
      ...kinds.map((kind) => el("label", { "data-for": kind }, `${kind} `, input(kind))),
    );
    this.#fill();
  }

  #fill() {
    for (const input of byId("form-patterns").querySelectorAll("input")) {
      const pattern = patternFor(this.#patterns, input.dataset.kind);
      if (input.value !== pattern) input.value = pattern;
    }
  }
}
