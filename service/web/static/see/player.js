// Plays a text character by character, stage by stage, as slowly as one likes.

import { byId } from "../dom.js";
import { LAST_STAGE } from "./equations.js";

const SPEEDS = [0.2, 0.5, 1, 2, 4, 8]; // characters a second
const QUICK = 4; // from here on stages would flicker

export class Player {
  #timer = 0;

  /** `next` goes to the next character and is false at the end; `stage` shows one of a step, or all (null). */
  constructor({ next, stage }) {
    Object.assign(this, { next, stage, isPlaying: false });
    byId("play").addEventListener("click", () => (this.isPlaying ? this.stop() : this.play()));
    byId("play-speed").max = SPEEDS.length - 1;
    byId("play-speed").addEventListener("input", () => this.#showSpeed());
    this.#showSpeed();
  }

  get speed() {
    return SPEEDS[Number(byId("play-speed").value)];
  }

  play() {
    this.isPlaying = true;
    byId("play").textContent = "Pause";
    this.#step(LAST_STAGE);
  }

  stop() {
    if (!this.isPlaying) return;
    clearTimeout(this.#timer);
    this.isPlaying = false;
    byId("play").textContent = "Play";
    this.stage(null);
  }

  #step(stage) {
    const isOver = stage >= LAST_STAGE || this.speed >= QUICK;
    if (isOver && !this.next()) return this.stop();
    const following = isOver ? 0 : stage + 1;
    this.stage(this.speed >= QUICK ? null : following);
    const share = this.speed >= QUICK ? 1 : LAST_STAGE + 1;
    this.#timer = setTimeout(() => this.#step(following), 1000 / this.speed / share);
    return undefined;
  }

  #showSpeed() {
    const { speed } = this;
    const told = speed < 1 ? `one in ${1 / speed} seconds` : `${speed} a second`;
    byId("play-speed").setAttribute("aria-valuetext", `characters: ${told}`);
    byId("play-told").textContent = told;
    byId("equations").style.setProperty("--stage", `${Math.min(0.6, 0.15 / speed)}s`);
  }
}
