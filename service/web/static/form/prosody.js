// The poem at the caret, as it is said: asks the service while the text changes, and shows its
// lines. Which lines are kept when others are written anew is known here, too.

import { getJson, ServiceError } from "../service/client.js";
import { byId, oncePerFrame } from "../dom.js";
import { ME } from "../text/piece.js";
import { poemAt, sentText, specLines } from "./poem.js";
import { verdictOf } from "./verdict.js";
import { missingOf, wantsOf } from "./wants.js";

const AFTER_MS = 300; // without a change

export class Prosody {
  #timer = null;
  #asked = null; // what the lines that are shown were asked with
  #request = new AbortController();
  #answer = null;
  #composed = { text: null, report: null };
  #live = []; // lines of a poem under way
  #choices = new Map(); // by a line's text: whether it is kept

  /** `isWriting` tells whether the text is being written; `getSpec` gives the chosen form or null. */
  constructor({ manuscript, sheet, models, rows, getSpec, isWriting }) {
    Object.assign(this, { manuscript, sheet, models, rows, getSpec, isWriting });
    this.isOn = false;
    this.poem = this.spec = null;
    manuscript.onChange(() => this.later());
    models.onChange(() => this.later());
    document.addEventListener("selectionchange", () => this.later());
  }

  turn(isOn) {
    this.isOn = isOn;
    this.#asked = null;
    if (isOn) this.#look();
  }

  /** Look again, soon and not at each of many changes. */
  later() {
    this.#tellMissing();
    if (!this.isOn) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), AFTER_MS);
  }

  /** Where the poem stands now: sets `poem`, and `spec` where it has that form. */
  locate() {
    const spec = this.getSpec();
    const sizes = spec?.stanzas.map((stanza) => stanza.length) ?? [];
    this.poem = poemAt(this.manuscript.text, this.sheet.selection.end, sizes);
    this.spec = this.poem?.fits ? spec : null;
  }

  /** What the form wants of the line at the caret, and how many lines it lacks. */
  #tellMissing = oncePerFrame(() => {
    if (byId("form-panel").hidden) return;
    this.locate();
    const { poem, spec } = this;
    const caret = this.sheet.selection.end;
    const at = poem?.lines.findIndex((line) => line.start <= caret && caret <= line.end);
    byId("form-missing").textContent = spec
      ? missingOf(spec, poem.lines, at < 0 ? undefined : at)
      : "";
  });

  /** The rhyme letters of the poem's lines. */
  get letters() {
    const lines = this.spec ? specLines(this.spec) : (this.#answer?.lines ?? []);
    return lines.slice(0, this.poem.lines.length).map((line) => line.rhyme);
  }

  /** Whether a line stays as it is; what a person had a hand in does, until told otherwise. */
  isKept(index) {
    const { start, end, text } = this.poem.lines[index];
    const isMine = () => this.manuscript.piece.slice(start, end).some((span) => span.by === ME);
    return this.#choices.get(text) ?? isMine();
  }

  toggleKept(index) {
    this.#choices.set(this.poem.lines[index].text, !this.isKept(index));
    if (this.#answer) this.#draw();
  }

  /** A line of a poem that is being written. */
  hear(line) {
    if (line.number === 1) this.#live = [];
    this.#live.push(line);
    if (!this.isOn) return;
    this.#asked = this.#answer = null;
    this.rows.show(this.#live.map((said) => ({ said, isKept: false, hasForm: true })));
  }

  /** The report on the poem that has been written. */
  note(report) {
    this.#composed = { text: this.#live.map((line) => line.text).join("\n"), report };
  }

  async #look() {
    if (this.isWriting()) return this.later();
    this.locate();
    const asked = this.poem && {
      model: this.models.chosen,
      text: sentText(this.poem.stanzas),
      ...(this.spec && { spec: this.spec }),
    };
    if (JSON.stringify(asked) === this.#asked) return;
    this.#asked = JSON.stringify(asked);
    this.#request.abort();
    this.#request = new AbortController();
    if (!asked) return this.#clear("There are no lines yet.");
    try {
      const { signal } = this.#request;
      this.#answer = await getJson("/v1/analyze", { body: asked, signal });
      this.#draw();
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!(error instanceof ServiceError)) throw error;
      this.#clear(`The lines cannot be read now: ${error.message}.`);
      this.#asked = null;
    }
  }

  #clear(text) {
    this.#answer = null;
    this.rows.show([]);
    byId("poem-told").textContent = text;
    byId("form-rest").hidden = true;
  }

  #draw() {
    const answer = this.#answer;
    const said = answer.report?.lines ?? answer.lines;
    const missing = this.spec ? specLines(this.spec).length - this.poem.lines.length : 0;
    const rows = this.poem.lines.map((_, index) => ({
      said: said[index] ?? null,
      isKept: this.isKept(index),
      hasForm: this.spec !== null,
    }));
    const lacking = Array.from({ length: missing }, (_, index) => ({
      said: null,
      isKept: false,
      hasForm: true,
      wants: wantsOf(this.spec, this.poem.lines, this.poem.lines.length + index),
    }));
    this.rows.show([...rows, ...lacking]);
    const text = this.poem.lines.map((line) => line.text).join("\n");
    const isComposed = text === this.#composed.text;
    byId("poem-told").textContent = verdictOf(answer, isComposed ? this.#composed.report : null);
    byId("form-rest").hidden = this.spec === null;
    byId("form-rest").textContent = missing ? "Write what is missing" : "Rewrite the others";
  }
}
