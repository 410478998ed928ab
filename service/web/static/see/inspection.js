// What POST /v1/inspect tells of a text, as numbers by character and unit; it grows part by part.
// Pure data, no document.

import { starts, UNKNOWN } from "./alignment.js";
import { UnitNumbers } from "./unit_numbers.js";

export class Inspection {
  /** `opening` is the first event; `text` what was sent: the tokens may write some of it otherwise. */
  constructor(opening, text) {
    this.text = text;
    this.fingerprint = opening.fingerprint;
    this.layer = opening.layer;
    this.numLayers = opening.num_layers;
    this.numUnits = opening.hidden_size;
    this.numFolded = opening.text.folded;
    this.numUnknown = opening.text.unknown;
    this.tokens = [];
    this.starts = [];
    this.gates = null; // null for networks without gates
    this.hidden = new Int8Array(0);
    this.cell = null;
    this.units = new Map(); // UnitNumbers by unit, of those that were asked for
    this.isWhole = false;
  }

  get length() {
    return this.tokens.length;
  }

  add(part) {
    const told = [
      ...this.tokens.map(({ read, ...token }) => ({ ...token, token: read })),
      ...part.tokens,
    ];
    this.starts = starts(told, this.text);
    this.tokens = told.map((token, at) => known(token, this.text, this.starts[at]));
    this.hidden = joined(this.hidden, bytes(part.hidden));
    if (part.cell !== null) this.cell = joined(this.cell ?? new Int8Array(0), bytes(part.cell));
    if (part.gates !== null) {
      this.gates ??= { forget: [], input: [], output: [] };
      for (const gate of Object.keys(this.gates)) this.gates[gate].push(...part.gates[gate]);
    }
    this.addUnits(part);
  }

  /** Every number of some units, of the tokens from `first` on; what is there already stays. */
  addUnits({ first, units }) {
    for (const piece of units) {
      const numbers = this.units.get(piece.unit) ?? new UnitNumbers(piece);
      if (numbers.length === first) numbers.add(piece);
      this.units.set(piece.unit, numbers);
    }
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
}

function bytes(base64) {
  return Int8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

function joined(before, after) {
  const both = new Int8Array(before.length + after.length);
  both.set(before);
  both.set(after, before.length);
  return both;
}

/** An unknown character is shown as the text has it; `read` is how the model read it. */
function known(token, text, start) {
  const isUnknown = token.token === UNKNOWN && start < text.length;
  const shown = isUnknown ? String.fromCodePoint(text.codePointAt(start)) : token.token;
  return { ...token, read: token.token, token: shown, ...(isUnknown && { isUnknown }) };
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
