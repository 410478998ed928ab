// What POST /v1/inspect gave, as numbers by character and unit. Pure data, no document.

import { starts, UNKNOWN } from "./alignment.js";

export class Inspection {
  /** `text` is what was sent; the tokens may write some of it otherwise. */
  constructor(answer, text) {
    this.gates = answer.gates; // null for networks without gates
    this.layer = answer.layer;
    this.numLayers = answer.num_layers;
    this.numUnits = answer.hidden_size;
    this.hidden = bytes(answer.hidden);
    this.cell = bytes(answer.cell);
    this.starts = starts(answer.tokens, text);
    this.tokens = answer.tokens.map((token, at) => known(token, text, this.starts[at]));
    this.numFolded = answer.text.folded;
    this.numUnknown = answer.text.unknown;
  }

  get length() {
    return this.tokens.length;
  }

  /** A unit's value after a character, from -1 to 1; the cell's is squashed by tanh. */
  value(kind, at, unit) {
    const values = this[kind];
    return values === null ? null : values[at * this.numUnits + unit] / 127;
  }

  /** What the text is painted with: cells where the network has any. */
  get richest() {
    return this.cell === null ? "hidden" : "cell";
  }

  /** The unit that follows a series of numbers best, {unit, correlation}. */
  mostLike(series) {
    const found = { unit: 0, correlation: 0 };
    const kind = this.richest;
    for (let unit = 0; unit < this.numUnits; unit++) {
      const correlation = pearson(series, (at) => this.value(kind, at, unit));
      if (Math.abs(correlation) > Math.abs(found.correlation))
        Object.assign(found, { unit, correlation });
    }
    return found;
  }

  /** How many characters each one is from the beginning of its line. */
  get columns() {
    let column = 0;
    return this.tokens.map(({ token }) => (token.includes("\n") ? (column = 0) : ++column));
  }

  /** 1 inside of double quotes, else 0. */
  get quoted() {
    let isInside = 0;
    return this.tokens.map(({ token }) => {
      for (const character of token) {
        if (character === "\u201c") isInside = 1;
        else if (character === "\u201d") isInside = 0;
        else if (character === '"') isInside = 1 - isInside;
      }
      return isInside;
    });
  }
}

function bytes(base64) {
  if (base64 === null || base64 === undefined) return null;
  return Int8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

/** An unknown character is shown as the text has it. */
function known(token, text, start) {
  const isUnknown = token.token === UNKNOWN && start < text.length;
  return isUnknown
    ? { ...token, token: String.fromCodePoint(text.codePointAt(start)), isUnknown }
    : token;
}

function pearson(series, valueAt) {
  const n = series.length;
  let x = 0,
    y = 0,
    xx = 0,
    yy = 0,
    xy = 0;
  for (let at = 0; at < n; at++) {
    const a = series[at],
      b = valueAt(at);
    x += a;
    y += b;
    xx += a * a;
    yy += b * b;
    xy += a * b;
  }
  const spread = Math.sqrt((n * xx - x * x) * (n * yy - y * y));
  return spread > 0 ? (n * xy - x * y) / spread : 0;
}

const LIMITS = [0.5, 1, 2, 4, 7]; // bits

/** Which of six steps a surprisal is in. */
export const stepOf = (bits) => LIMITS.filter((limit) => bits >= limit).length;

/** Which of eleven steps a value from -1 to 1 is in. */
export const shadeOf = (value) => Math.round((Math.max(-1, Math.min(1, value)) + 1) * 5);

/** The part of a text that is looked at: most of it before the caret, whole lines where it can be. */
export function partAround(text, caret, most) {
  if (text.length <= most) return { start: 0, end: text.length };
  const wanted = Math.max(0, Math.min(caret - Math.floor(most * 0.75), text.length - most));
  const line = text.indexOf("\n", wanted - 1) + 1;
  const start = wanted > 0 && line > 0 && line < wanted + most / 4 ? line : wanted;
  const end = Math.min(text.length, start + most);
  return { start: start - isInsidePair(text, start), end: end - isInsidePair(text, end) };
}

const isInsidePair = (text, at) => (/[\udc00-\udfff]/.test(text[at] ?? "") ? 1 : 0);
