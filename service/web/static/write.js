// Write: what the buttons below the sheet do. One generation at a time.

import { Alternatives } from "./alternatives.js";
import { ServiceError, untilReady } from "./client.js";
import { byId, isUsable, number, setUsable } from "./dom.js";
import { essential } from "./fields.js";
import { BrokenError, generate } from "./generation.js";
import { untilLines } from "./lines.js";
import { announce, clearNotice, notify, sentence, showStatus } from "./notices.js";
import { Pen } from "./pen.js";
import { lengthOf, ME, textOf } from "./piece.js";
import { extend, Place } from "./place.js";
import { Progress } from "./progress.js";
import { promptBefore } from "./prompt.js";

const NUM_BESIDE = 3;
const LINE = { length: 200, least: 20 }; // characters: a line ends long before, a poem not at once

export class Write {
  #stop = null; // ends what is being written
  lastSeed = null;

  constructor({ manuscript, sheet, settings, models }) {
    Object.assign(this, { manuscript, sheet, settings, models });
    this.alternatives = new Alternatives(manuscript, (place, index) => this.#choose(place, index));
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
    return this.#writeInto(new Place(this.sheet.selection.end), options);
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
    return this.#writeInto(place, {
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

  /** One continuation into the text, in place of what stands at `place`. */
  async #writeInto(place, options) {
    const body = this.#body(place, options);
    if (!body) return;
    let pen = null;
    const take = {
      began: (event) => {
        place.again = () => this.#writeInto(place, { ...options, isAgain: true });
        pen = new Pen(this.manuscript, place, place.addWay(this.#note(event, body)), options.step);
        this.alternatives.show(place);
        this.sheet.select(place.start);
        this.sheet.caretFollows = true;
        this.sheet.endFollows = this.sheet.isAtEnd = place.start === this.manuscript.text.length;
      },
      text: (event) => pen.write(event.text),
    };
    const outcome = await this.#follow(body, take, options.cut);
    if (!pen) return;
    pen.way.isOver = true;
    pen.lift();
    if (!options.cut) this.manuscript.sign(pen.way.by, body.prompt, textOf(pen.way.spans));
    this.sheet.catchUp();
    this.alternatives.draw();
    if (outcome === "broken off") this.#offerToGoOn(pen, body.max_tokens);
  }

  /** Several lines beside each other; none is in the text until it is chosen. */
  async #writeBeside(place, lead) {
    const body = this.#body(place, { ...LINE, isAgain: place.again !== null });
    if (!body) return;
    const ways = [];
    const take = {
      began: (event) => {
        place.again = () => this.#writeBeside(place, lead);
        for (let index = 0; index < NUM_BESIDE; index++) {
          ways.push(place.addWay(this.#note({ ...event, seed: event.seed + index }, body)));
          extend(ways[index], lead);
        }
        this.alternatives.show(place);
      },
      text: ({ index, text }) => (extend(ways[index], text), this.alternatives.draw()),
      ended: ({ index }) => (ways[index].isOver = true),
    };
    const cut = { count: 1, numTexts: NUM_BESIDE };
    await this.#follow({ ...body, prompt: body.prompt + lead, n: NUM_BESIDE }, take, cut);
    for (const way of ways) way.isOver = true;
    if (ways.length) this.alternatives.focus();
  }

  /** Follow a generation to its end and tell of it: "done", "stopped", "broken off" or "failed". */
  async #follow(body, take, cut = null) {
    const stop = (this.#stop = new AbortController());
    const progress = new Progress(showStatus, announce);
    const events = generate(body, stop.signal);
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
      return this.#tell(error, progress);
    } finally {
      if (this.#stop === stop) this.#stop = null;
      this.#showWhatCanBeDone();
    }
  }

  #tell(error, progress) {
    if (error.name === "AbortError") return progress.end("stopped");
    if (error instanceof BrokenError) return progress.end("broken off");
    if (!(error instanceof ServiceError)) throw error;
    if (error.code === "model_not_found") this.models.load();
    notify(sentence(error.message));
    return progress.end("failed");
  }

  #offerToGoOn(pen, length) {
    const written = lengthOf(pen.way.spans);
    const text = `The stream broke off after ${number(written)} characters. They stay.`;
    const goOn = {
      "Go on from there": () =>
        this.#writeInto(new Place(pen.at), { length: Math.max(length - written, 1) }),
    };
    notify(`${text} Waiting for the service.`, goOn);
    untilReady().then(() => {
      if (this.isWriting || !byId("notice").textContent.startsWith(text)) return;
      notify(`${text} The service is back.`, goOn);
    });
  }

  /** What to ask for; null while something is being written or a setting is wrong. */
  #body({ start }, { isAgain = false, length, least }) {
    if (this.isWriting) return null;
    try {
      const { seed, ...settings } = this.settings.all;
      const body = { model: this.models.chosen, ...settings };
      body.max_tokens = length ?? body.max_tokens;
      body.min_tokens = least ?? body.min_tokens;
      if (seed !== null && !isAgain) body.seed = seed;
      return { ...body, prompt: promptBefore(this.manuscript.text, start) };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      notify(error.message);
      return null;
    }
  }

  /** What made a generation is kept with the text; gives its number. */
  #note({ model, seed }, { prompt, model: _, seed: __, ...settings }) {
    this.lastSeed = seed;
    byId("last-seed").textContent = String(seed);
    return this.manuscript.addGeneration({ model, seed, settings: essential(settings) });
  }

  #choose(place, index) {
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
    for (const name of ["continue", "next-line", "rewrite"]) setUsable(byId(name), !isWriting);
    setUsable(byId("stop"), isWriting);
    setUsable(byId("retry"), !isWriting && this.alternatives.place !== null);
    setUsable(byId("undo"), manuscript.canUndo);
    setUsable(byId("keep-seed"), this.lastSeed !== null);
    setUsable(byId("redo"), manuscript.canRedo);
  }
}

/** The lines that a selection touches, without the newline behind them. */
function wholeLines(text, { start, end }) {
  const last = end > start && text[end - 1] === "\n" ? end - 1 : end;
  const close = text.indexOf("\n", last);
  const open = start === 0 ? 0 : text.lastIndexOf("\n", start - 1) + 1;
  return { start: open, end: close < 0 ? text.length : close };
}
