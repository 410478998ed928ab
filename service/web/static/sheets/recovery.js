// What lies beside the database at a start and belongs into it: what tabs noted when they were left, and
// the one sheet that earlier releases kept in localStorage.

import { notes, strike } from "./journal.js";
import { isSameText, newHead, newId, readContent, summaryOf, titleOf } from "./record.js";

const EARLIER = "strophe.sheet";
const EARLIER_ID = "first"; // one name, however many tabs find it at once

/** Put what was left behind into the database; each is taken away when it is there. */
export async function recover(database) {
  await recoverEarlier(database);
  for (const noted of notes()) {
    await recoverNoted(database, noted);
    if (database.isLasting) strike(noted.tab);
  }
}

/** What a tab noted follows what is stored if that is what the tab knew, or its own. */
async function recoverNoted(database, { tab, head, content }) {
  const stored = await database.read(head.id);
  if (stored && isSameText(stored.content.spans, content.spans)) return;
  const revision = stored?.head.revision ?? 0;
  const follows = !stored || revision === head.revision || stored.head.writer === tab;
  const next = follows && (await database.store({ ...head, revision }, content));
  if (next) return;
  const title = `${titleOf(head)} (from the other tab)`;
  await database.store({ ...head, id: newId(), title, revision: 0 }, content);
}

async function recoverEarlier(database) {
  const kept = earlier();
  const content = readContent(kept);
  if (content?.spans.length) {
    const head = newHead({
      id: EARLIER_ID,
      ...summaryOf(content.spans),
      caret: kept.caret ?? null,
    });
    await database.store(head, content);
  }
  if (kept && database.isLasting) localStorage.removeItem(EARLIER);
}

/** What an earlier release kept: the sheet, and the settings with it. */
export function earlier() {
  try {
    return JSON.parse(localStorage.getItem(EARLIER));
  } catch {
    return null;
  }
}
