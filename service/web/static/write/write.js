// Write: what the buttons below the sheet do. One generation at a time.

import { Alternatives } from "./alternatives.js";
import { ServiceError, untilReady } from "../service/client.js";
import { byId, isUsable, number, setUsable } from "../dom.js";
import { essential } from "../settings/fields.js";
import { BrokenError, compose, generate } from "../service/generation.js";
import { untilLines } from "../text/lines.js";
import { announce, clearNotice, notify, sentence, showStatus } from "../notices.js";
import { Pen } from "../sheet/pen.js";
import { lengthOf, ME, textOf } from "../text/piece.js";
import { extend, Place } from "../text/place.js";
import { Progress } from "../service/progress.js";
import { promptBefore } from "../text/prompt.js";

const NUM_BESIDE = 3;
const STARTERS = ["continue", "next-line", "rewrite", "form-write", "form-acrostic", "form-rest"];
const LINE = { length: 200, least: 20 }; // characters: a line ends long before, a poem not at once

export class Write {
  #stop = null; // ends what is being written
  lastSeed = null;

  constructor({ manuscript, sheet, settings, models }) {
    Object.assign(this, { manuscript, sheet, settings, models });
    this.alternatives = new Alternatives(manuscript, (place, index) => this.choose(place, index));
    const actions = {
      continue: () => this.continue(),
      stop: () => this.stop(),
      retry: () => this.retry(),
      "next-line": () => this.nextLine(),
      rewrite: () => this.rewrite(),
      undo: () => this.undo(),
      redo: () => this.redo(),
      clear: () => this.clear(),
    };
    for (const [name, act] of Object.entries(actions)) {
      byId(name).addEventListener("click", (event) => isUsable(event.currentTarget) && act());
    }
    manuscript.onChange(() => this.#showWhatCanBeDone());
    this.#showWhatCanBeDone();
  }

  get isWriting() {
    return this.#stop !== null;
  }

  stop() {
    this.#stop?.abort();
    this.#stop = null;
    this.#showWhatCanBeDone();
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
    const position = this.sheet.selection.end;
    const before = this.manuscript.text.slice(0, position);
    const lead = before === "" || before.endsWith("\n") ? "" : "\n";
    return this.#writeBeside(new Place(position), lead);
  }

  /** Another way for the lines of the selection, the lines around them kept. */
  rewrite() {
    const { start, end } = wholeLines(this.manuscript.text, this.sheet.selection);
    const place = new Place(start, end - start);
    const spans = this.manuscript.piece.slice(start, end);
    if (spans.length) place.ways.push({ spans, label: "as it was", isOver: true });
    const count = textOf(spans).split("\n").length;
    return this.writeInto(place, {
      cut: { count, dropsLead: true },
      length: LINE.length * count,
      least: LINE.least,
    });
  }

  undo() {
    this.#step(() => this.manuscript.undo(), "Undone");
  }

  redo() {
    this.#step(() => this.manuscript.redo(), "Done again");
  }

  clear() {
    this.stop();
    this.manuscript.change(0, this.manuscript.text.length, []);
    announce("The sheet is empty; undo brings the text back");
    this.sheet.area.focus();
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
   * `tail` part it from what stands around; `take` hears of its events too. */
  async writeInto(place, options) {
    const body = this.bodyFor(place, options);
    if (!body) return;
    let pen = null;
    let { lead = "" } = options;
    const lift = this.#hold(place);
    const take = {
      ...options.take,
      began: (event) => {
        lift();
        place.again = () => this.writeInto(place, { ...options, isAgain: true });
        pen = new Pen(this.manuscript, place, place.addWay(this.note(event, body)), options.step);
        this.alternatives.show(place);
        this.sheet.select(place.start);
        this.sheet.caretFollows = true;
        this.sheet.endFollows = this.sheet.isAtEnd = place.start === this.manuscript.text.length;
      },
      text: (event) => {
        pen.write(lead + event.text);
        lead = "";
      },
    };
    const outcome = await this.follow(body, take, options.cut);
    lift();
    if (!pen) return;
    if (options.tail && place.length) pen.write(options.tail);
    pen.way.isOver = true;
    pen.lift();
    if (!options.cut && !options.poem)
      this.manuscript.sign(pen.way.by, body.prompt, textOf(pen.way.spans));
    this.sheet.catchUp();
    this.alternatives.draw();
    if (outcome === "broken off") this.#offerToGoOn(pen, this.#restOf(pen, body, options));
  }

  /** A place follows what is typed before its text comes; gives what ends that. */
  #hold(place) {
    if (this.alternatives.place === place) return () => {};
    return this.manuscript.onChange((change) => {
      if (!place.follow(change)) Object.assign(place, { start: change.start, length: 0 });
    });
  }

  /** How a text that broke off can go on: a poem as a whole, if its place is still known. */
  #restOf(pen, body, options) {
    const { seed } = this.manuscript.generations[pen.way.by];
    const isThere = () => this.alternatives.place === pen.place;
    const whole = () => isThere() && this.writeInto(pen.place, { ...options, seed });
    if (options.poem) return { "Write it as a whole": whole };
    const length = Math.max(body.max_tokens - lengthOf(pen.way.spans), 1);
    return { "Go on from there": () => this.writeInto(new Place(pen.at), { length }) };
  }

  /** Several lines beside each other; none is in the text until it is chosen. */
  async #writeBeside(place, lead) {
    const body = this.bodyFor(place, { ...LINE, isAgain: place.again !== null });
    if (!body) return;
    const ways = [];
    const take = {
      began: (event) => {
        place.again = () => this.#writeBeside(place, lead);
        for (let index = 0; index < NUM_BESIDE; index++) {
          ways.push(place.addWay(this.note({ ...event, seed: event.seed + index }, body)));
          extend(ways[index], lead);
        }
        this.alternatives.show(place);
      },
      text: ({ index, text }) => (extend(ways[index], text), this.alternatives.draw()),
      ended: ({ index }) => (ways[index].isOver = true),
    };
    const cut = { count: 1, numTexts: NUM_BESIDE };
    await this.follow({ ...body, prompt: body.prompt + lead, n: NUM_BESIDE }, take, cut);
    for (const way of ways) way.isOver = true;
    if (ways.length) this.alternatives.focus();
  }

  /** Follow a generation to its end and tell of it: "done", "stopped", "broken off" or "failed". */
  async follow(body, take, cut = null) {
    const stop = (this.#stop = new AbortController());
    const progress = new Progress(showStatus, announce);
    const events = (isPoem(body) ? compose : generate)(body, stop.signal);
    clearNotice();
    this.#showWhatCanBeDone();
    try {
      for await (const event of cut ? untilLines(events, cut) : events) {
        stop.signal.throwIfAborted(); // what had come before the stop and was not read yet
        progress.take(event);
        take[event.kind]?.(event);
      }
      return progress.end("done");
    } catch (error) {
      return this.#tell(error, progress, take);
    } finally {
      if (this.#stop === stop) this.#stop = null;
      this.#showWhatCanBeDone();
    }
  }

  #tell(error, progress, take) {
    if (error.name === "AbortError") return progress.end("stopped");
    if (error instanceof BrokenError) return progress.end("broken off");
    if (!(error instanceof ServiceError)) throw error;
    if (error.code === "model_not_found") this.models.load();
    if (take.refused) take.refused(error);
    else notify(sentence(error.message));
    return progress.end("failed");
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

  /** What to ask for; null while something is being written or a setting is wrong. */
  bodyFor({ start }, { isAgain = false, length, least, poem, seed = null }) {
    if (this.isWriting) return null;
    try {
      const { seed: wanted, ...settings } = this.settings.all;
      const body = { model: this.models.chosen, ...settings };
      body.max_tokens = length ?? body.max_tokens;
      body.min_tokens = least ?? body.min_tokens;
      body.seed = (isAgain ? null : (seed ?? wanted)) ?? undefined; // drawn by the service
      if (poem) return poemBody(body, poem);
      return { ...body, prompt: promptBefore(this.manuscript.text, start) };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      notify(error.message);
      return null;
    }
  }

  /** What made a generation is kept with the text; gives its number. */
  note({ model, seed }, { prompt, opening, model: _, seed: __, ...asked }) {
    this.lastSeed = seed;
    byId("last-seed").textContent = String(seed);
    const { temperature, ...poem } = asked;
    const facts = isPoem(asked)
      ? { settings: essential({ temperature }), poem }
      : { settings: essential(asked) };
    return this.manuscript.addGeneration({ model, seed, ...facts });
  }

  choose(place, index) {
    this.stop();
    const { spans } = place.ways[index];
    this.manuscript.change(place.start, place.end, spans, { origin: place });
    place.length = lengthOf(spans);
    this.sheet.select(place.end);
    this.alternatives.draw();
    announce(`Way ${place.ways[index].label} is in the text`);
  }

  #step(step, said) {
    this.stop();
    const position = step();
    if (position === null) return;
    this.sheet.select(position);
    announce(said);
  }

  #showWhatCanBeDone() {
    const { isWriting, manuscript } = this;
    for (const name of STARTERS) setUsable(byId(name), !isWriting);
    setUsable(byId("stop"), isWriting);
    setUsable(byId("retry"), !isWriting && this.alternatives.place !== null);
    setUsable(byId("undo"), manuscript.canUndo);
    setUsable(byId("keep-seed"), this.lastSeed !== null);
    setUsable(byId("redo"), manuscript.canRedo);
  }
}

const isPoem = (body) => "form" in body || "spec" in body;

/** Of the settings a poem knows the model, the temperature and the seed. */
const poemBody = ({ model, temperature, seed }, poem) => ({ model, temperature, seed, ...poem });

/** The lines that a selection touches, without the newline behind them. */
function wholeLines(text, { start, end }) {
  const last = end > start && text[end - 1] === "\n" ? end - 1 : end;
  const close = text.indexOf("\n", last);
  const open = start === 0 ? 0 : text.lastIndexOf("\n", start - 1) + 1;
  return { start: open, end: close < 0 ? text.length : close };
}
