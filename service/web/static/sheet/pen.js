// Writes one generation into the manuscript, in place of what stands at a place. What the user
// types meanwhile, before or behind, moves it along. Knows nothing of requests and buttons.

import { extend } from "../text/place.js";

export class Pen {
  constructor(manuscript, place, way, step = Symbol("generation")) {
    Object.assign(this, { manuscript, place, way, step, at: place.start }); // a step is undone at once
    this.lift = manuscript.onChange((change) => this.#follow(change));
    if (place.length) this.#change(place.start, place.end, []);
    place.length = 0;
  }

  write(text) {
    this.#change(this.at, this.at, [{ text, by: this.way.by }]);
    this.at += text.length;
    this.place.length += text.length;
    extend(this.way, text);
  }

  #change(start, end, spans) {
    this.manuscript.change(start, end, spans, { step: this.step, origin: this.place });
  }

  #follow({ start, removed, added, origin }) {
    if (origin === this.place) return;
    if (start + removed <= this.at) this.at += added - removed;
    else if (start < this.at) this.at = start;
  }
}
