// Write: what the buttons below the sheet do.

import { Alternatives } from "./alternatives.js";
import { bodyOf, factsOf } from "./asking.js";
import { Following } from "./following.js";
import { Seed } from "./seed.js";
import { untilReady } from "../service/client.js";
import { byId, isUsable, number, oncePerFrame, setUsable } from "../dom.js";
import { announce, notify, showStatus } from "../notices.js";
import { Pen } from "../sheet/pen.js";
import { lengthOf, ME, textOf } from "../text/piece.js";
import { endsLeft, lineStart, wholeLinesEnds } from "../text/lines.js";
import { extend, Place } from "../text/place.js";
import { promptBefore } from "../text/prompt.js";

const NUM_BESIDE = 3;
const STARTERS = ["continue", "next-line", "rewrite", "form-write", "form-acrostic", "form-rest", "form-another"];
const CHANGED = "What stood there was changed meanwhile, so it stays as it is.";

export class Write {
  #following;

  constructor({ manuscript, sheet, settings, models }) {
    Object.assign(this, { manuscript, sheet, settings, models });
    this.alternatives = new Alternatives(manuscript, (...choice) => this.#showSeed(this.choose(...choice)));
    this.#following = new Following(models, () => this.#turn());
    this.seed = new Seed(manuscript, sheet);
    const actions = {
      continue: () => this.continue(),
      stop: () => this.stop(),
      retry: () => this.retry(),
      "next-line": () => this.nextLine(),
      rewrite: () => this.rewrite(),
      undo: () => this.undo(),
      redo: () => this.redo(),
    };
    for (const [name, act] of Object.entries(actions)) {
      byId(name).addEventListener("click", (event) => isUsable(event.currentTarget) && act());
    }
    const show = oncePerFrame(() => this.#showWhatCanBeDone());
    manuscript.onChange(show);
    document.addEventListener("selectionchange", show); // the seed at the caret
    this.#showWhatCanBeDone();
  }

  get isWriting() {
    return this.#following.isWriting;
  }

  stop() {
    this.#following.stop();
  }

  /** Follow a generation of which the caller takes what comes. */
  follow(body, take, dropsLead) {
    return this.#following.follow(body, take, dropsLead);
  }

  /** Write on from the caret; what stands behind it stays behind. */
  continue(options = {}) {
    return this.writeInto(new Place(this.sheet.selection.end), options);
  }

  /** Another way for the place that was written last. */
  retry() {
    if (!this.isWriting) this.alternatives.place?.again();
  }

  /** Three ways for the next line, to choose among. */
  nextLine() {
    return this.#writeBeside(new Place(this.sheet.selection.end));
  }

  /** Another way for the lines of the selection, the lines around them kept. */
  rewrite() {
    const { start, end } = wholeLines(this.manuscript.text, this.sheet.selection);
    const place = new Place(start, end - start);
    const spans = this.manuscript.piece.slice(start, end);
    if (spans.length) place.ways.push({ spans, label: "as it was", isOver: true });
    const count = textOf(spans).split("\n").filter((line) => line.trim()).length || 1;
    return this.writeInto(place, {
      ends: wholeLinesEnds(count),
      dropsLead: true,
    });
  }

  undo() {
    this.#step(() => this.manuscript.undo(), "Undone");
  }

  redo() {
    this.#step(() => this.manuscript.redo(), "Done again");
  }

  /** Take away what follows a position, put `text` there and write on: another way from here. */
  branch(position, text) {
    this.stop();
    const step = Symbol("branch"); // undone together with what is written on
    this.manuscript.change(position, this.manuscript.text.length, [{ text, by: ME }], { step });
    this.sheet.select(position + text.length);
    return this.continue({ step });
  }

  /** One continuation into the text, or a `poem`, in place of what stands at `place`. `lead` and
   * `tail` part it from what stands around; `dress` gives what changes its pieces as they come, `take`
   * hears of its events too. */
  async writeInto(place, options) {
    const body = this.bodyFor(place, options);
    if (!body) return;
    const { manuscript, sheet, alternatives } = this;
    const replacesText = place.length > 0;
    let pen = null;
    let { lead = "" } = options;
    const dressed = options.dress?.() ?? ((text) => text);
    place.join(manuscript);
    const take = {
      ...options.take,
      began: (event) => {
        if (replacesText && place.isGone) return this.#giveUp();
        place.again = () => this.writeInto(place, { ...options, isAgain: true });
        pen = new Pen(manuscript, place, place.addWay(this.note(event, body)), options.step);
        alternatives.show(place);
        sheet.follow(place.start);
      },
      text: (event) => {
        pen.write(lead + dressed(event.text));
        lead = "";
      },
      over: (outcome) => {
        if (pen) this.#finish(pen, outcome, body, options);
        if (alternatives.place !== place) place.leave();
      },
    };
    await this.follow(body, take, options.dropsLead);
  }

  /** The end of what was written into the text. */
  #finish(pen, outcome, body, options) {
    if (options.tail && pen.stands) pen.write(options.tail);
    pen.way.isOver = true;
    pen.lift();
    if (!options.dropsLead && !options.poem)
      this.manuscript.sign(pen.way.by, body.prompt, textOf(pen.way.spans));
    this.sheet.catchUp();
    this.alternatives.draw();
    if (outcome === "broken off") this.#offerToGoOn(pen, this.#restOf(pen, body, options));
  }

  #giveUp() {
    this.stop();
    notify(CHANGED);
  }

  /** How a text that broke off can go on: a poem as a whole, any other where it ended. */
  #restOf(pen, body, options) {
    const { place, way } = pen;
    const { seed } = this.manuscript.generations[way.by];
    const isThere = () => this.alternatives.place === place;
    const whole = () =>
      isThere() ? this.writeInto(place, { ...options, seed }) : notify(CHANGED);
    if (options.poem) return { "Write it as a whole": whole };
    const ends = endsLeft(body, textOf(way.spans));
    const end = new Place(pen.at); // wherever it is by then
    end.join(this.manuscript);
    return { "Go on from there": () => this.writeInto(end, { ends }) };
  }

  #offerToGoOn(pen, goOn) {
    const written = number(lengthOf(pen.way.spans));
    const text = `The stream broke off after ${written} characters. They stay.`;
    notify(`${text} Waiting for the service.`, goOn);
    untilReady().then(() => {
      if (this.isWriting || !byId("notice").textContent.startsWith(text)) return;
      notify(`${text} The service is back.`, goOn);
    });
  }

  /** Several lines beside each other; none is in the text until it is chosen. */
  async #writeBeside(place) {
    const body = this.bodyFor(place, { ends: wholeLinesEnds(1), isAgain: place.again !== null });
    if (!body) return;
    const { manuscript, alternatives } = this;
    const ways = [];
    const asked = leadAt(manuscript.text, place.start);
    place.join(manuscript);
    const take = {
      began: (event) => {
        place.again = () => this.#writeBeside(place);
        const lead = leadAt(manuscript.text, place.start);
        for (let index = 0; index < NUM_BESIDE; index++) {
          ways.push(place.addWay(this.note({ ...event, seed: event.seed + index }, body)));
          extend(ways[index], lead);
          ways[index].lead = lead;
        }
        alternatives.show(place);
      },
      text: ({ index, text }) => (extend(ways[index], text), alternatives.draw()),
      ended: ({ index }) => (ways[index].isOver = true),
      over: (outcome) => {
        for (const way of ways) way.isOver = true;
        if (alternatives.place !== place) place.leave();
        else if (ways.length && outcome !== "stopped") alternatives.focus();
      },
    };
    await this.follow({ ...body, prompt: body.prompt + asked, n: NUM_BESIDE }, take);
  }

  /** What to ask for; null while something is being written or a setting is wrong. */
  bodyFor({ start }, options) {
    if (this.isWriting) return null;
    try {
      const body = bodyOf(this.settings.all, this.models.chosen, options);
      return options.poem ? body : { ...body, prompt: promptBefore(this.manuscript.text, start) };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      notify(error.message);
      return null;
    }
  }

  /** What made a generation is kept with the text; gives its number. */
  note(event, body) {
    this.seed.running = event.seed;
    return this.manuscript.addGeneration(factsOf(event, body));
  }

  /** Put a way into the text, in place of the one there; gives back what is said of it. */
  choose(place, index) {
    this.stop();
    const way = place.ways[index];
    const { start, end } = place;
    const lead = leadAt(this.manuscript.text, start);
    if (way.lead !== undefined && way.lead !== lead) {
      way.spans = [{ text: lead + textOf(way.spans).slice(way.lead.length), by: way.by }];
      way.lead = lead;
    }
    if (place.standing(this.manuscript.text) !== index)
      this.manuscript.change(start, end, way.spans, { origin: place }); // else undo would do nothing
    place.length = lengthOf(way.spans);
    this.sheet.select(place.end);
    this.alternatives.draw();
    const said = `Way ${way.label} is in the text`;
    announce(said);
    return said;
  }

  #step(step, said) {
    this.stop();
    const position = step();
    if (position === null) return;
    this.sheet.select(position);
    announce(said);
    this.#showSeed(said);
  }

  /** What was done, and which seed stands at the caret now. */
  #showSeed(said) {
    this.seed.draw();
    showStatus(this.seed.value === null ? said : `${said} · seed ${this.seed.value}`);
    this.#showWhatCanBeDone();
  }

  /** A generation has begun or is over. */
  #turn() {
    if (!this.isWriting) this.seed.running = null;
    this.#showWhatCanBeDone();
  }

  #showWhatCanBeDone() {
    const { isWriting, manuscript } = this;
    for (const name of STARTERS) setUsable(byId(name), !isWriting);
    setUsable(byId("stop"), isWriting);
    setUsable(byId("retry"), !isWriting && this.alternatives.place !== null);
    setUsable(byId("undo"), manuscript.canUndo);
    setUsable(byId("keep-seed"), this.seed.value !== null);
    setUsable(byId("redo"), manuscript.canRedo);
  }
}

/** What parts a line from what stands before it. */
const leadAt = (text, position) => (position === 0 || text[position - 1] === "\n" ? "" : "\n");

/** The lines that a selection touches, without the newline behind them. */
function wholeLines(text, { start, end }) {
  const last = end > start && text[end - 1] === "\n" ? end - 1 : end;
  const close = text.indexOf("\n", last);
  return { start: lineStart(text, start), end: close < 0 ? text.length : close };
}
