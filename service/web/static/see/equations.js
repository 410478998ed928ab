// The six equations of one unit with the numbers of one character, and its cell as a dot that moves.

import { byId, el } from "../dom.js";
import { quoted } from "./reading.js";

const DIGITS = 3;
const sign = (value) => (value < 0 ? "\u2212" : "+");
const size = (value) => Math.abs(value).toFixed(DIGITS);
/** A number with three digits and a real minus. */
const shown = (value) => `${value < 0 && Number(size(value)) ? "\u2212" : ""}${size(value)}`;

const sum = ({ below, before, bias }) =>
  `${shown(below)} ${sign(before)} ${size(before)} ${sign(bias)} ${size(bias)}`;
const squashed = (name) => (step) => `(${sum(step[name])})`;

// In the order of what happens; `stage` is when it is looked at while the animation runs.
const ROWS = [
  {
    name: "forget",
    symbol: "f",
    of: "σ",
    terms: squashed("forget"),
    stage: 1,
    means: "how much of the cell is kept",
  },
  {
    name: "input",
    symbol: "i",
    of: "σ",
    terms: squashed("input"),
    stage: 2,
    means: "how much of what is new is let in",
  },
  {
    name: "candidate",
    symbol: "g",
    of: "tanh",
    terms: squashed("candidate"),
    stage: 2,
    means: "what is new",
  },
  {
    name: "cell",
    symbol: "c",
    of: "f · c′ + i · g",
    terms: ({ forget, input, candidate, cellBefore }) =>
      ` = ${shown(forget.value)} · ${shown(cellBefore)} + ${shown(input.value)} · ${shown(candidate.value)}`,
    stage: 3,
    means: "the cell: what it remembers; c′ is the one before",
  },
  {
    name: "output",
    symbol: "o",
    of: "σ",
    terms: squashed("output"),
    stage: 4,
    means: "how much of the cell is shown",
  },
  {
    name: "hidden",
    symbol: "h",
    of: "o · tanh(c)",
    terms: ({ output, cell }) => ` = ${shown(output.value)} · ${shown(Math.tanh(cell))}`,
    stage: 4,
    means: "the hidden state: what the layer above sees",
  },
];
export const LAST_STAGE = 4;

export class Equations {
  #cells = new Map(); // what changes in each row
  #stage = null;
  #step = null;
  #bound = 1; // no cell of the unit is beyond

  constructor() {
    byId("equation-rows").replaceChildren(...ROWS.map((row) => this.#row(row)));
  }

  #row({ name, symbol, of, means }) {
    const terms = el("span", { class: "terms" });
    const value = el("output", { id: `equation-${name}`, class: "value" });
    const bar = el("span", { class: "bar" });
    const node = el(
      "li",
      { class: `gate-${name}`, title: means },
      el("span", { class: "formula" }, `${symbol} = ${of}`, terms, " = ", value),
      el("span", { class: "level", "aria-hidden": "true" }, bar),
      el("span", { class: "meaning" }, means),
    );
    this.#cells.set(name, { node, terms, value, bar });
    return node;
  }

  /** The numbers of a unit at a character; null while they are not there. */
  show(numbers, at, token) {
    byId("equation-rows").classList.toggle("waiting", !numbers);
    if (!numbers) return;
    const step = numbers.at(at);
    for (const { name, terms } of ROWS) {
      const value = step[name].value ?? step[name];
      const cells = this.#cells.get(name);
      cells.terms.textContent = terms(step);
      cells.value.textContent = shown(value);
      drawLevel(cells.bar, name === "cell" ? Math.tanh(value) : value);
    }
    byId("equation-for").textContent = `when ${quoted(token)} is read`;
    this.#step = step;
    this.#bound = boundOf(numbers);
    this.#drawDot();
  }

  /** One of the four stages is looked at, or 0, the begin; null shows all of the step. */
  stage(number) {
    this.#stage = number;
    for (const { name, stage } of ROWS) {
      this.#cells.get(name).node.classList.toggle("now", stage === number);
      this.#cells.get(name).node.classList.toggle("later", number !== null && stage > number);
    }
    if (this.#step) this.#drawDot();
  }

  /** The cell's way on its axis: as it was, what is kept of it, with what is new; and what is shown. */
  #drawDot() {
    const { forget, cellBefore, cell, hidden } = this.#step;
    const [stage, bound] = [this.#stage ?? LAST_STAGE, this.#bound];
    const kept = forget.value * cellBefore;
    const place = stage < 1 ? cellBefore : stage < 3 ? kept : cell;
    move(byId("dot-cell"), place / bound);
    move(byId("dot-hidden"), stage < LAST_STAGE ? null : hidden);
    byId("cell-least").textContent = `\u2212${bound}`;
    byId("cell-most").textContent = `+${bound}`;
    span(byId("cell-kept"), cellBefore / bound, kept / bound);
    span(byId("cell-added"), kept / bound, cell / bound);
    byId("cell-added").classList.toggle("later", stage < 3);
    byId("cell-kept").classList.toggle("later", stage < 1);
  }
}

/** A whole number that no cell of the unit is beyond. */
function boundOf(numbers) {
  const most = numbers.series("cell").reduce((most, cell) => Math.max(most, Math.abs(cell)), 0);
  return Math.max(1, Math.ceil(most));
}

/** Draw a bar from the middle to a value from -1 to 1. */
function drawLevel(bar, value) {
  const [from, to] = [Math.min(0, value), Math.max(0, value)];
  bar.style.left = `${(from + 1) * 50}%`;
  bar.style.width = `${(to - from) * 50}%`;
}

function move(dot, share) {
  dot.style.opacity = share === null ? 0 : 1;
  if (share !== null) dot.style.left = `${(share + 1) * 50}%`;
}

function span(line, from, to) {
  line.style.left = `${(Math.min(from, to) + 1) * 50}%`;
  line.style.width = `${Math.abs(to - from) * 50}%`;
}
