// One reading of a text by POST /v1/inspect: parts as they come, progress, and what takes too long.

import { follow } from "../service/generation.js";
import { byId, number } from "../dom.js";

const SLOW_MS = 8000;

/** What comes: {kind: "opening"}, {kind: "part"}, and what `generation.js` tells of waiting. */
export const inspect = (body, signal) =>
  follow("/v1/inspect", body, signal, function* (event) {
    yield { kind: event.first === undefined ? "opening" : "part", ...event };
  });

/** How far a reading is, on the page. */
export class Progress {
  #timer = 0;

  /** `onShorter` asks for less; null where less makes no sense. */
  constructor({ total, onStop, onShorter }) {
    this.total = total;
    byId("see-stop").onclick = onStop;
    byId("see-less").onclick = onShorter;
    byId("see-less").hidden = true;
    byId("see-progress").hidden = false;
    byId("see-progress-bar").max = total;
    byId("see-progress-bar").value = 0;
    this.#tell("reading …");
    if (onShorter)
      this.#timer = setTimeout(() => {
        byId("see-less").hidden = false;
      }, SLOW_MS);
  }

  take(event, length) {
    if (event.kind === "waiting") this.#tell(`waiting, ${event.ahead} ahead`);
    if (event.kind === "retrying") this.#tell(`${event.why}; trying again`);
    if (event.kind !== "part") return;
    byId("see-progress-bar").value = length;
    this.#tell(`${number(length)} of ${number(this.total)} characters read`);
  }

  end() {
    clearTimeout(this.#timer);
    byId("see-progress").hidden = true;
  }

  #tell(text) {
    byId("see-progress-told").textContent = text;
  }
}
