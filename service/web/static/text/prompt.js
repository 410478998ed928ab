// What of a text is sent as the prompt.

import { cutFrom } from "./characters.js";
import { lineStart } from "./lines.js";
import { withoutLabels } from "./sections.js";

const MOST = 6000; // characters; what lies further back no longer tells on the next one
const GRAIN = 2000; // the cut moves in large steps, so that the service knows most prompts already
const MOST_OPENING = 4000; // characters; the bound of POST /v1/poems

/** The verse before `position`, without the lines that name sections; of a long one its end. */
export const promptBefore = (text, position) => endOf(withoutLabels(text.slice(0, position)));

/** A text's end as far as it tells on what follows, from the beginning of a line. */
function endOf(before) {
  if (before.length <= MOST) return before;
  const cut = Math.ceil((before.length - MOST) / GRAIN) * GRAIN;
  const line = before.indexOf("\n", cut) + 1;
  return before.slice(line > 0 && line < cut + GRAIN ? line : cutFrom(before, cut));
}

/** The verse up to the line of `position`, so that what is written begins with a line of its own: that line
 * belongs to it if it ends there, and where it is all there is up to the position. Of a long one its end. */
export function linesBefore(text, position) {
  const start = lineStart(text, position);
  const isWhole = position === text.length || text[position] === "\n";
  const line = withoutLabels(text.slice(start, position));
  const lines = withoutLabels(text.slice(0, start));
  if (!lines.trim()) return endOf(line);
  return endOf(isWhole && line.trim() ? `${lines}${line}\n` : lines);
}

/** The lines before `position` that a poem goes on from; of many the last ones. */
export function openingBefore(text, position) {
  const before = withoutLabels(text.slice(0, position));
  if (before.length <= MOST_OPENING) return before;
  const cut = before.length - MOST_OPENING;
  return before.slice(before.indexOf("\n", cut) + 1 || before.length);
}
