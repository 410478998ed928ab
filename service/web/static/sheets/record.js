// A sheet as it is stored: its head, which a list shows, and its content. Pure data. What comes from
// storage or from a file is taken as far as it is sound.

import { readSettings } from "../settings/fields.js";
import { isSpan, joined, ME, textOf } from "../text/piece.js";

const MOST_TITLE = 100; // characters

/** A name that no other sheet has; `crypto.randomUUID` is not there outside of HTTPS. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The head of a new sheet. `title` is null where its first line names it, `link` the link that it came
 * with, `revision` counts what was stored, and `writer` is the tab that stored it last. */
export function newHead(facts = {}) {
  const now = Date.now();
  return {
    ...{ id: newId(), title: null, firstLine: "", length: 0, caret: null, link: null },
    ...{ created: now, changed: now, deleted: null, revision: 0, writer: null },
    ...facts,
  };
}

export const titleOf = ({ title, firstLine }) => title ?? (firstLine || "Empty sheet");

/** A title as it was typed; null for none. */
export const soundTitle = (typed) => shortened(typed) || null;

/** What a head says of its content. */
export function summaryOf(spans) {
  const text = textOf(spans);
  return { firstLine: shortened(/\S.*/.exec(text)?.[0] ?? ""), length: text.length };
}

const shortened = (line) => {
  const characters = [...line.trim().slice(0, 4 * MOST_TITLE)];
  return characters.slice(0, MOST_TITLE).join("");
};

/** What is on the sheet, to be stored. */
export const contentOf = ({ piece, remembered, history }) => ({
  spans: piece.spans,
  generations: remembered,
  history,
});

/** Content as far as it is sound; null where it is none. */
export function readContent(kept) {
  if (!isObject(kept) || !Array.isArray(kept.spans)) return null;
  if (!kept.spans.every(isSpan)) return null;
  const generations = {};
  for (const [by, facts] of Object.entries(kept.generations ?? {})) {
    if (isObject(facts)) generations[by] = readFacts(facts);
  }
  const isKnown = ({ by }) => by === ME || by in generations;
  if (!kept.spans.every(isKnown)) return null;
  const history = isObject(kept.history) ? kept.history : {};
  const spans = kept.spans.map(({ text, by }) => ({ text, by }));
  return { spans: joined(spans), generations, history };
}

function readFacts({ model, seed, settings, sign, poem }) {
  return {
    model: String(model),
    seed: Number.isFinite(seed) ? seed : null,
    settings: readSettings(isObject(settings) ? settings : {}),
    ...(typeof sign === "string" && { sign }),
    ...(isObject(poem) && { poem }),
  };
}

export const isSameText = (one, other) => textOf(one) === textOf(other);

export const isObject = (value) =>
  typeof value === "object" && value !== null && !Array.isArray(value);
