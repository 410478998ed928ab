// Writing in a form: the panel below the sheet. A poem is written at the caret; of the poem there
// lines are written anew while the others stay, and a line is given another rhyme.

import { ServiceError } from "../service/client.js";
import { byId, isUsable } from "../dom.js";
import { labelled } from "./arrangement.js";
import { Forms } from "./forms.js";
import { notify, sentence } from "../notices.js";
import { Piece } from "../text/piece.js";
import { sectionsOf } from "../text/sections.js";
import { Place } from "../text/place.js";
import { placeBehind, shortened, specLines, version, withKept, wordAt } from "./poem.js";
import { openingBefore } from "../text/prompt.js";
import { Prosody } from "./prosody.js";
import { Rhymes } from "./rhymes.js";
import { Rows } from "./scansion.js";
import { Songs } from "./songs.js";
import { reasonOf } from "./verdict.js";

const NUM_OTHERS = 3; // ways for a line, beside the one that is there

export class Composing {
  constructor({ manuscript, sheet, models, write }) {
    Object.assign(this, { manuscript, sheet, models, write });
    this.forms = new Forms(() => this.prosody.later());
    this.prosody = new Prosody({
      manuscript,
      sheet,
      models,
      rows: new Rows(byId("poem-lines"), {
        keep: (index) => this.#withLine(index, () => this.prosody.toggleKept(index)),
        others: (index) => this.#withLine(index, () => this.otherLines(index)),
        rhymes: (index) => this.#withLine(index, () => this.#told(() => this.rhymes.under(index))),
      }),
      getSpec: () => this.forms.spec,
      isWriting: () => write.isWriting,
    });
    this.rhymes = new Rhymes({ manuscript, sheet, models, prosody: this.prosody });
    this.songs = new Songs({
      manuscript,
      sheet,
      models,
      write,
      writeBehind: (end, request, labels) => {
        const manner = this.#sound(() => this.forms.manner);
        if (manner) return this.writeBehind(end, { ...request, ...manner }, labels);
      },
      told: (work) => this.#told(work),
    });
    this.#connect();
  }

  /** Open or close the panel. */
  toggle() {
    const isOpen = byId("form-toggle").getAttribute("aria-expanded") !== "true";
    byId("form-toggle").setAttribute("aria-expanded", String(isOpen));
    byId("form-panel").hidden = !isOpen;
    this.prosody.turn(isOpen && isPressed(byId("form-lines")));
    if (!isOpen) return byId("form-toggle").focus();
    this.#offerAcrostic();
    return this.#told(async () => {
      await this.forms.load();
      byId("form").focus();
    });
  }

  /** Words that rhyme, at the caret. */
  offerRhymes() {
    if (!this.write.isWriting) return this.#told(() => this.rhymes.atCaret());
  }

  /** Write a poem in the chosen form, behind the stanza of the caret. */
  writePoem(manner = {}) {
    const request = this.#sound(() => this.forms.request);
    if (!request) return;
    const { end } = this.sheet.selection;
    return this.writeBehind(end, { ...request, ...manner }, this.forms.labels);
  }

  /** Write what is requested behind the stanza of a position; `labels` name its stanzas, if any. */
  writeBehind(position, request, labels = []) {
    const { at, lead, tail } = placeBehind(this.manuscript.text, position);
    const place = new Place(at);
    const poem = { ...request, ...this.#openingAt(at) };
    const giveWay = () => {
      const isThere = this.write.alternatives.place === place; // else it may stand elsewhere by now
      if (isThere) this.write.writeInto(place, { ...options, poem: { ...poem, strict: false } });
      else this.writeBehind(this.sheet.selection.end, { ...request, strict: false }, labels);
    };
    const options = {
      poem,
      lead: lead + labels.slice(0, 1).map((label) => `${label}\n`),
      tail,
      dress: () => labelled(labels),
      take: this.#listener(poem, giveWay),
    };
    return this.write.writeInto(place, options);
  }

  /** An acrostic of the word at the caret, or of one that is still to be typed. */
  #spell() {
    const word = wordAt(this.manuscript.text, this.sheet.selection);
    this.forms.spell(word ?? "");
    if (word) this.writePoem();
    else byId("form-word").focus();
  }

  /** Write the lines that are missing, or those that are not kept, while the others stay. */
  writeRest({ place = null, manner = {} } = {}) {
    const found = this.#poemHere();
    if (!found) return;
    const { lines } = found.poem;
    const isWhole = lines.length === specLines(found.spec).length;
    const isKept = (index) => !isWhole || this.prosody.isKept(index);
    if (isWhole && lines.every((_, index) => isKept(index)))
      return notify("All lines are kept. Press “Keep” at one that may change.");
    const spec = withKept(found.spec, lines, isKept);
    const again = (more) => this.writeRest(more);
    const isLabelled = sectionsOf(this.manuscript.text).some(
      ({ body }) => body.start === lines[0].start,
    );
    const labels = isLabelled ? this.forms.labels : [];
    return this.#writeBeside(found.poem, { spec, ...manner }, place, again, (to, said, by) => {
      to.addWay(by).spans = version(to.old, said, by, labels);
      this.write.choose(to, to.ways.length - 1);
    });
  }

  /** Other lines for one of the poem, beside each other; none is in the text until it is chosen. */
  otherLines(index, { place = null, manner = {} } = {}) {
    const found = this.#poemHere();
    if (!found) return;
    const { lines } = found.poem;
    const refrain = specLines(found.spec)[index].refrain;
    const at = refrain && lines[refrain - 1].text === lines[index].text ? refrain - 1 : index;
    const spec = withKept(shortened(found.spec, lines.length), lines, (other) => other !== at);
    const asked = { spec, ...manner, alternatives: NUM_OTHERS };
    const again = (more) => this.otherLines(at, more);
    return this.#writeBeside(found.poem, asked, place, again, (to, said, by) => {
      const known = new Set([lines[at].text.trim(), ...to.ways.map((way) => way.shown)]);
      to.ways[0].shown ??= lines[at].text.trim();
      for (const text of [said[at].text, ...said[at].alternatives]) {
        if (known.has(text)) continue;
        known.add(text);
        const changed = said.map((line) =>
          line.text === said[at].text ? { ...line, text } : line,
        );
        const spans = version(to.old, changed, by);
        Object.assign(to.addWay(by, String(to.ways.length)), { spans, shown: text, isOver: true });
      }
      if (to.ways.length < 2) notify("No other line was found that keeps the form.");
      this.write.alternatives.draw();
      this.write.alternatives.focus();
    });
  }

  /** A version of the poem, which `done` gets when it is whole, unless the poem has been changed
   * meanwhile: {ways} of its place, the lines and the number of what wrote them. */
  async #writeBeside(poem, asked, place, again, done) {
    const { manuscript, write } = this;
    const old = { piece: new Piece(manuscript.piece.slice(poem.start, poem.end)), poem };
    const to = place ?? new Place(poem.start, poem.end - poem.start);
    to.old = old;
    if (!place) to.ways.push({ spans: old.piece.spans, label: "as it was", isOver: true });
    const manner = this.#sound(() => this.forms.manner);
    const fields = { ...manner, ...asked, ...this.#openingAt(poem.start) };
    const body = manner && write.bodyFor(to, { poem: fields, isAgain: place !== null });
    if (!body) return;
    const lines = [];
    let by = null;
    const repeat = (manner) =>
      again({ manner, place: write.alternatives.place === to ? to : null });
    const listener = this.#listener(fields, () => repeat({ strict: false }));
    to.again = repeat;
    write.alternatives.show(to); // from here on the place follows what is typed
    const outcome = await write.follow(body, {
      ...listener,
      began: (event) => (by = write.note(event, body)),
      line: (event) => {
        lines.push(event.line);
        listener.line(event);
      },
    });
    this.prosody.later();
    if (outcome !== "done") return;
    if (write.alternatives.place === to) done(to, lines, by);
    else notify("The lines were changed meanwhile, so they stay as they are.");
  }

  /** What is done with the events of a poem, wherever its lines go. */
  #listener(poem, giveWay) {
    const spec = poem.spec ?? this.forms.spec;
    return {
      line: ({ line }) => this.prosody.hear(line),
      report: ({ report }) => this.prosody.note(report),
      refused: (error) => {
        const mayGive =
          poem.strict !== false && error.status >= 422 && error.code?.includes("form");
        notify(reasonOf(error, spec), mayGive ? { "Give way where it must": giveWay } : {});
      },
    };
  }

  #measure() {
    return this.#told(() => this.forms.song.measure(this.manuscript.text, this.models.chosen));
  }

  #openingAt(position) {
    const opening = openingBefore(this.manuscript.text, position);
    return opening.trim() ? { opening } : {};
  }

  /** The poem at the caret and its form; null where it has none. */
  #poemHere() {
    this.prosody.locate();
    const { poem, spec } = this.prosody;
    return spec ? { poem, spec } : null;
  }

  /** Do something with a line, unless it has gone or is being written. */
  #withLine(index, act) {
    if (this.write.isWriting) return;
    this.prosody.locate();
    if (this.prosody.poem?.lines[index]) act();
  }

  #connect() {
    byId("form-ask").addEventListener("submit", (event) => {
      event.preventDefault();
      if (isUsable(byId("form-write"))) this.writePoem();
    });
    const buttons = {
      "form-acrostic": () => this.#spell(),
      "form-rest": () => this.writeRest(),
      "form-rhymes": () => this.offerRhymes(),
      "form-measure": () => this.#measure(),
    };
    for (const [id, act] of Object.entries(buttons))
      byId(id).addEventListener("click", (event) => isUsable(event.currentTarget) && act());
    const showCounts = () =>
      byId("form-counts").setAttribute("aria-pressed", String(byId("show-counts").checked));
    byId("form-counts").addEventListener("click", () => byId("show-counts").click());
    byId("show-counts").addEventListener("change", showCounts);
    showCounts();
    byId("form-lines").addEventListener("click", ({ currentTarget }) => {
      const isOn = !isPressed(currentTarget);
      currentTarget.setAttribute("aria-pressed", String(isOn));
      byId("poem").hidden = !isOn;
      this.prosody.turn(isOn);
    });
    byId("form-panel").addEventListener("keydown", ({ key }) => {
      if (key === "Escape" && !this.write.isWriting) this.toggle();
    });
    document.addEventListener("selectionchange", () => this.#offerAcrostic());
  }

  #offerAcrostic() {
    if (byId("form-panel").hidden) return;
    const word = wordAt(this.manuscript.text, this.sheet.selection);
    byId("form-acrostic").textContent = word ? `Acrostic of “${word}”` : "Acrostic";
  }

  #sound(read) {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      notify(error.message);
      return null;
    }
  }

  async #told(work) {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof ServiceError || error instanceof RangeError)) throw error;
      notify(sentence(error.message));
    }
  }
}

const isPressed = (button) => button.getAttribute("aria-pressed") === "true";
