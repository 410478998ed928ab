// How a generation goes, in words: the status line, and the few that are read aloud.

import { number, oncePerFrame } from "../dom.js";
import { counted } from "../text/numbers.js";

export class Progress {
  #asked = performance.now();
  #first = null;
  #last = null;
  #characters = 0;
  #seed = null;
  #unknown = 0; // characters of the prompt that the model does not know
  #reasons = [];
  #isWaiting = false;
  #draw = oncePerFrame(() => !this.isOver && !this.#isWaiting && this.#tell("writing"));

  /** `show` is given each line, and which of its parts are details; `say` only what is worth being read aloud.
   * Of several texts the seeds follow on each other. */
  constructor(show, say = () => {}, numTexts = 1) {
    Object.assign(this, { show, say, numTexts, isOver: false });
    show("asking …");
    say("Writing");
  }

  take(event) {
    if (event.kind === "retrying")
      this.#wait(`${event.why}; trying again in ${Math.ceil(event.seconds)} s`);
    if (event.kind === "resuming") this.#wait("connection lost, going on …");
    if (event.kind === "waiting") this.#wait(`waiting, ${event.ahead} ahead`);
    if (event.kind === "began") this.#begin(event);
    if (event.kind === "ended")
      this.#reasons.push(event.stop === "end_of_document" ? "the poem ended" : null);
    if (event.kind === "text") this.#count(event.text.length);
  }

  /** The last words: how it ended. */
  end(how) {
    this.isOver = true;
    const why = this.#reasons.find((reason) => reason);
    this.#tell(why ? `${how}, ${why}` : how);
    this.say(`${how}, ${this.#length}`);
  }

  #wait(text) {
    this.#isWaiting = true;
    this.show(text);
    this.say(text);
  }

  #begin({ seed, prompt }) {
    this.#seed = seed;
    this.#unknown = prompt.unknown;
  }

  #count(characters) {
    this.#isWaiting = false;
    this.#first ??= performance.now();
    this.#last = performance.now();
    this.#characters += characters;
    this.#draw();
  }

  #tell(state) {
    const details = this.#details;
    const parts = [state, this.#length, ...details];
    if (this.#seed !== null) parts.push(seedsFrom(this.#seed, this.numTexts));
    if (this.#unknown) parts.push(`${this.#unknown} unknown to the model`);
    this.show(parts.join(" · "), details);
  }

  get #length() {
    return counted(number(this.#characters), "character");
  }

  get #details() {
    if (this.#first === null) return [];
    const seconds = (this.#last - this.#first) / 1000;
    const speed = `${number(Math.round(this.#characters / seconds))} a second`;
    const first = `first after ${number(Math.round(this.#first - this.#asked))} ms`;
    return seconds > 0.1 ? [speed, first] : [first];
  }
}

const seedsFrom = (seed, count) =>
  count > 1 ? `seeds ${seed} to ${seed + count - 1}` : `seed ${seed}`;
