// A place in the text and the ways in which it can go on: what a generation wrote there, what a
// retry wrote, what stood there before. Pure data, no document.
// A way is {spans, label, isOver}, and {shown} where only a part of it is worth showing; which of
// them stands in the text is found by comparing.

import { moved } from "./edit.js";
import { LOADED, UNDO } from "./manuscript.js";
import { textOf } from "./piece.js";

const NOTHING = () => {};

export class Place {
  constructor(start, length = 0) {
    this.start = start;
    this.length = length;
    this.ways = [];
    this.again = null; // writes another way
    this.isGone = false; // edited away; where it was is still followed
    this.leave = NOTHING;
  }

  get end() {
    return this.start + this.length;
  }

  /** The way that stands in the text; -1 when none does. */
  standing(text) {
    const here = text.slice(this.start, this.end);
    return here ? this.ways.findIndex((way) => textOf(way.spans) === here) : -1;
  }

  /** Follow what others change in the text, until `leave`. */
  join(manuscript) {
    this.leave();
    const leave = manuscript.onChange((change) => this.#follow(change, manuscript.text));
    this.leave = () => {
      leave();
      this.leave = NOTHING;
    };
  }

  #follow(change, text) {
    const { start, removed, added, origin } = change;
    if (origin === this) return;
    if (origin === UNDO && start === this.start && start + removed === this.end) {
      const here = text.slice(start, start + added);
      const isWay = here ? this.ways.some((way) => textOf(way.spans) === here) : removed > 0;
      if (isWay) return void (this.length = added);
    }
    if (origin === LOADED || (start + removed > this.start && start < this.end)) {
      this.isGone = true;
      this.length = 0;
    }
    this.start = moved(this.start, change);
  }

  /** A new way, still empty. */
  addWay(by, label = String(this.ways.length + 1)) {
    const way = { spans: [], label, by, isOver: false };
    this.ways.push(way);
    return way;
  }
}

export function extend(way, text) {
  way.spans = [{ text: textOf(way.spans) + text, by: way.by }];
}
