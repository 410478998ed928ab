// What of a text is sent as the prompt.

import { cutFrom } from "./characters.js";

const MOST = 6000; // characters; what lies further back no longer tells on the next one
const GRAIN = 2000; // the cut moves in large steps, so that the service knows most prompts already
const MOST_OPENING = 4000; // characters; the bound of POST /v1/poems

/** The text before `position`; of a long one its end, from the beginning of a line. */
export function promptBefore(text, position) {
  const before = text.slice(0, position);
  if (before.length <= MOST) return before;
  const cut = Math.ceil((before.length - MOST) / GRAIN) * GRAIN;
  const line = before.indexOf("\n", cut) + 1;
  return before.slice(line > 0 && line < cut + GRAIN ? line : cutFrom(before, cut));
}

/** The lines before `position` that a poem goes on from; of many the last ones. */
export function openingBefore(text, position) {
  const before = text.slice(0, position);
  if (before.length <= MOST_OPENING) return before;
  const cut = before.length - MOST_OPENING;
  return before.slice(before.indexOf("\n", cut) + 1 || before.length);
}
