// A text that knows who wrote what: a list of spans. Pure data, no document.
// A span is {text, by}: `by` is ME, or the number of the generation that wrote it.
// Positions count UTF-16 units, as in a <textarea>.

export const ME = 0;

export const isSpan = (value) =>
  typeof value?.text === "string" && Number.isInteger(value.by) && value.by >= ME;

export const textOf = (spans) => spans.map((span) => span.text).join("");
export const lengthOf = (spans) => spans.reduce((sum, span) => sum + span.text.length, 0);

/** The same text with as few spans as can be. */
export function joined(spans) {
  const result = [];
  for (const { text, by } of spans) {
    const last = result[result.length - 1];
    if (!text) continue;
    if (last && last.by === by) last.text += text;
    else result.push({ text, by });
  }
  return result;
}

/** The spans between two positions. */
export function between(spans, start, end) {
  const result = [];
  let at = 0;
  for (const { text, by } of spans) {
    const from = Math.max(start - at, 0);
    const to = Math.min(end - at, text.length);
    if (from < to) result.push({ text: text.slice(from, to), by });
    at += text.length;
    if (at >= end) break;
  }
  return result;
}

export class Piece {
  constructor(spans = []) {
    this.spans = joined(spans);
    this.text = textOf(this.spans);
  }

  get length() {
    return this.text.length;
  }

  slice(start, end = this.length) {
    return between(this.spans, start, end);
  }

  /** Put spans in place of what stands between two positions; gives back what stood there. */
  replace(start, end, spans) {
    const removed = this.slice(start, end);
    this.spans = joined([...this.slice(0, start), ...spans, ...this.slice(end)]);
    this.text = this.text.slice(0, start) + textOf(spans) + this.text.slice(end);
    return removed;
  }
}

/** A short sign by which a prompt and what was written on it are known again; FNV-1a. */
export function signOf(prompt, text) {
  let sum = 0x811c9dc5;
  for (const part of [prompt, "\0", text]) {
    for (let at = 0; at < part.length; at++) sum = Math.imul(sum ^ part.charCodeAt(at), 0x01000193);
  }
  return (sum >>> 0).toString(16);
}

/** What an editor did, {start, end, text}: the part of `before` that was replaced, and by what. The
 * caret behind the edit tells where, when letters repeat. Pairs of surrogates stay whole. */
export function difference(before, after, caret) {
  const most = Math.min(before.length, after.length);
  const tail = Math.min(most, after.length - caret);
  let same = 0;
  while (same < tail && before[before.length - 1 - same] === after[after.length - 1 - same]) same++;
  if (isLow(after, after.length - same)) same--;
  let start = 0;
  while (start < most - same && before[start] === after[start]) start++;
  if (start > 0 && isHigh(before, start - 1)) start--;
  return { start, end: before.length - same, text: after.slice(start, after.length - same) };
}

const isHigh = (text, at) => /[\ud800-\udbff]/.test(text[at] ?? "");
const isLow = (text, at) => /[\udc00-\udfff]/.test(text[at] ?? "");
