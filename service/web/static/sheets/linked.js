// Sheets that came with a link: each is a sheet of its own, and the same link leads to the same one as
// long as nobody has changed it.

import { ME, textOf } from "../text/piece.js";
import { summaryOf } from "./record.js";

/** Show the sheet of a link: {isNew, isWritten}, whether there was none, and whether what the link's seed
 * writes stands on it. Null where the sheet before cannot be left. */
export async function openLinked(shelf, { key, text, settings: { seed } }) {
  for (const { id, link, deleted } of await shelf.heads()) {
    if (link !== key || deleted !== null) continue;
    const { content } = await shelf.read(id);
    if (!isAsLinked(content, text, seed)) continue;
    await shelf.open(id);
    return { isNew: false, isWritten: textOf(content.spans) !== text };
  }
  const spans = text ? [{ text, by: ME }] : [];
  const { firstLine } = summaryOf(spans);
  const title = firstLine ? `${firstLine} (from a link)` : "From a link";
  const isOpen = await shelf.startNew({ title, link: key }, { spans });
  return isOpen ? { isNew: true, isWritten: false } : null;
}

/** Whether a content is the link's text, and behind it at most what its seed wrote. */
function isAsLinked({ spans, generations }, text, seed) {
  const hasText = !text || (spans[0]?.by === ME && spans[0].text === text);
  const rest = text ? spans.slice(1) : spans;
  const isWritten = (span) => span.by !== ME && generations[span.by].seed === seed;
  return hasText && rest.length <= 1 && rest.every(isWritten);
}
