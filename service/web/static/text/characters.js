// Characters as people count them: an accent or an emoji of several code points is one, and no cut
// goes through it. Pure data, no document.

const SEGMENTER = new Intl.Segmenter();
const AROUND = 64; // UTF-16 units on both sides of a cut; no character is longer in earnest

/** Whether a text is one character, as one key gives it. */
export function isOneCharacter(text) {
  return text.length < AROUND && [...SEGMENTER.segment(text)].length === 1;
}

/** The cut at `position`, or the next one behind it that goes through no character. */
export function cutFrom(text, position) {
  const { start, end } = characterAround(text, position);
  return start < position ? end : position;
}

/** The cut at `position`, or the last one before it that goes through no character. */
export const cutUpTo = (text, position) => characterAround(text, position).start;

/** The character that a position is in or before. */
function characterAround(text, position) {
  if (position <= 0 || position >= text.length) return { start: position, end: position };
  const from = Math.max(0, position - AROUND);
  const near = text.slice(from, position + AROUND);
  const { index, segment } = SEGMENTER.segment(near).containing(position - from);
  return { start: from + index, end: from + index + segment.length };
}
