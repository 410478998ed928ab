// Writes one generation into the manuscript, in place of what stands at a place. What the user
// types meanwhile, before or behind, moves it along. Knows nothing of requests and buttons.

import { moved } from "../text/edit.js";
import { extend } from "../text/place.js";

export class Pen {
  /** All that it writes is one `step` of undo. */
  constructor(manuscript, place, way, step = Symbol("generation")) {
    Object.assign(this, { manuscript, place, way, step, at: place.start });
    this.lift = manuscript.onChange((change) => {
      if (change.origin !== place) this.at = moved(this.at, change);
    });
    if (place.length) this.#change(place.start, place.end, []);
    place.length = 0;
  }

  write(text) {
    this.#change(this.at, this.at, [{ text, by: this.way.by }]);
    this.at += text.length;
    if (!this.place.isGone) this.place.length += text.length;
    extend(this.way, text);
  }

  /** Whether something that it wrote still stands. */
  get stands() {
    return this.manuscript.piece.spans.some((span) => span.by === this.way.by);
  }

  #change(start, end, spans) {
    this.manuscript.change(start, end, spans, { step: this.step, origin: this.place });
  }
}
