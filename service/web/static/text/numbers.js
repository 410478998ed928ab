// Numbers as people write them, with a decimal point or a decimal comma, and how many there are of
// something. Pure data, no document.

const NUMBER = /^[+-]?(\d+([.,]\d*)?|[.,]\d+)$/;

/** The number that a text is; NaN for one that is none, and for "1,000.5", which may be two. */
export function readNumber(text) {
  const trimmed = text.trim().replace(/^\u2212/, "-");
  return NUMBER.test(trimmed) ? Number(trimmed.replace(",", ".")) : NaN;
}

/**
 * The numbers of a list: with spaces or semicolons between ("0,4 0,8", "0,4; 0,8"), or with commas
 * where these cannot be decimal ("0.4, 0.8", "1, 2"). Raises RangeError, which says what is unclear.
 */
export function readNumbers(text) {
  const hasPoint = /\d\.|\.\d/.test(text);
  const parts = text.split(/[\s;]+/).map((part) => part.replace(/^,+|,+$/g, ""));
  const isOne = parts.filter(Boolean).length === 1 && !text.includes(";");
  return parts.filter(Boolean).flatMap((part) => {
    const pieces = part.split(",");
    const isList = part.includes(".") && !pieces.some((piece) => /^0\d/.test(piece)); // "1,000.5"
    if (pieces.length === 1 || isList) return pieces.map(sound);
    if (hasPoint || isOne || pieces.length > 2) throw new RangeError(unclear(part));
    return [sound(part)];
  });
}

function sound(text) {
  const number = readNumber(text);
  if (Number.isNaN(number)) throw new RangeError(`\u201c${text}\u201d is not a number.`);
  return number;
}

/** So many of a unit, "1 line" or "2 lines"; `count` may be in words. */
export const counted = (count, unit) => `${count} ${unit}${String(count) === "1" ? "" : "s"}`;

const unclear = (text) =>
  `\u201c${text}\u201d may be one number or several: write 0.4 for one, and a space between two.`;
