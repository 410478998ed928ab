// An edit of a text: a list of hunks {start, removed, added}. At `start`, counted in the text before
// the edit, the `added` spans stand in place of the `removed` ones. Hunks are in order and never
// touch each other. A change is one hunk. Pure data, no document.

import { between, isSpan, joined, lengthOf } from "./piece.js";

const growth = ({ removed, added }) => lengthOf(added) - lengthOf(removed);
const isSomething = ({ removed, added }) => removed.length > 0 || added.length > 0;

/** The edit and, in the text that it gave, one more change. */
export function extended(edit, { start, removed, added }) {
  const end = start + lengthOf(removed);
  const around = { before: [], after: [] };
  const merged = { start: null, removed: [], added: [] };
  let [read, tail, shift] = [start, [], 0];
  for (const hunk of edit) {
    const at = hunk.start + shift;
    const stop = at + lengthOf(hunk.added);
    if (stop < start) around.before.push(hunk);
    else if (at > end) around.after.push(hunk);
    else {
      merged.start ??= Math.min(hunk.start, start - shift);
      if (at < start) merged.added.push(...between(hunk.added, 0, start - at));
      merged.removed.push(...between(removed, read - start, at - start), ...hunk.removed);
      read = Math.max(read, stop);
      tail = between(hunk.added, end - at, Infinity);
    }
    if (at <= end) shift += growth(hunk);
  }
  merged.start ??= start - shift;
  merged.removed = joined([...merged.removed, ...between(removed, read - start, Infinity)]);
  merged.added = joined([...merged.added, ...added, ...tail]);
  return [...around.before, merged, ...around.after].filter(isSomething);
}

/** The edit that takes an edit back. */
export function inverse(edit) {
  let shift = 0;
  return edit.map((hunk) => {
    const turned = { start: hunk.start + shift, removed: hunk.added, added: hunk.removed };
    shift += growth(hunk);
    return turned;
  });
}

/** An edit and the change behind it in the other order, {change, edit}; null where the change
 * replaces what the edit put there. An insertion can always go first: where the edit took away what
 * stood around it, it comes `near` a position of the text before. */
export function transposed(edit, change, near) {
  const isInsertion = change.removed.length === 0;
  const end = change.start + lengthOf(change.removed);
  const hunks = [];
  let [start, shift] = [null, 0];
  for (const hunk of edit) {
    const at = hunk.start + shift;
    const stop = at + lengthOf(hunk.added);
    const isBefore = isInsertion ? stop < change.start : stop <= change.start;
    const isBehind = isInsertion ? at > end : at >= end;
    if (!isBefore) start ??= change.start - shift;
    if (isBefore) hunks.push(hunk);
    else if (isBehind) hunks.push({ ...hunk, start: hunk.start + growth(change) });
    else if (!isInsertion) return null;
    else {
      const most = lengthOf(hunk.removed);
      const cut = Math.max(0, Math.min(near - hunk.start, most));
      start = hunk.start + cut;
      hunks.push(...halves(hunk, cut, change.start - at, lengthOf(change.added)));
    }
    shift += growth(hunk);
  }
  start ??= change.start - shift;
  return { change: { ...change, start }, edit: apart(hunks.filter(isSomething)) };
}

/** Hunks that touch made one. */
function apart(hunks) {
  const result = [];
  for (const hunk of hunks) {
    const last = result[result.length - 1];
    if (last && last.start + lengthOf(last.removed) === hunk.start) {
      const [removed, added] = [
        [...last.removed, ...hunk.removed],
        [...last.added, ...hunk.added],
      ];
      result.splice(-1, 1, { ...last, removed: joined(removed), added: joined(added) });
    } else result.push(hunk);
  }
  return result;
}

/** A hunk in two, with an insertion of so many characters between them. */
function halves({ start, removed, added }, cut, offset, length) {
  return [
    { start, removed: between(removed, 0, cut), added: between(added, 0, offset) },
    {
      start: start + cut + length,
      removed: between(removed, cut, Infinity),
      added: between(added, offset, Infinity),
    },
  ];
}

/** Where a position is after a change {start, removed, added} in lengths: behind what was put there,
 * and where it was taken away with what stood around, at the beginning of that. */
export function moved(position, { start, removed, added }) {
  if (start + removed <= position) return position + added - removed;
  return Math.min(position, start);
}

/** The changes of an edit in lengths, each counted in the text that those before it gave. */
export function* steps(edit) {
  let shift = 0;
  for (const hunk of edit) {
    const [removed, added] = [lengthOf(hunk.removed), lengthOf(hunk.added)];
    yield { start: hunk.start + shift, removed, added, spans: hunk.added };
    shift += added - removed;
  }
}

/** Whether something that was kept elsewhere is an edit. */
export function isEdit(value) {
  const isSpans = (spans) => Array.isArray(spans) && spans.every(isSpan);
  let behind = -1;
  return (
    Array.isArray(value) &&
    value.every((hunk) => {
      const isInOrder = Number.isInteger(hunk?.start) && hunk.start > behind;
      if (!isInOrder || !isSpans(hunk.removed) || !isSpans(hunk.added)) return false;
      behind = hunk.start + lengthOf(hunk.removed);
      return true;
    })
  );
}

/** The length of the text that an edit gives of one of `length`; null where it does not fit that. */
export function lengthAfter(edit, length) {
  const last = edit[edit.length - 1];
  if (last && last.start + lengthOf(last.removed) > length) return null;
  return edit.reduce((sum, hunk) => sum + growth(hunk), length);
}
