// What a layer does by character: gates as lines with axes, units as a heat map below. Both have the same
// columns, one scroller, and names at its left edge that stay.

import { byId, el, oncePerFrame, setUsable, svgEl } from "../dom.js";
import { shadeOf } from "./inspection.js";
import { lines } from "./targets.js";

const ZOOMS = [
  { column: 4, row: 1 },
  { column: 6, row: 4 },
  { column: 9, row: 13 },
  { column: 14, row: 20 },
];
const NAMED_FROM = 13; // pixels a row; lower ones have no room for names
const HEIGHT = 100; // of the gate plot
const AXIS = 18; // pixels below it for the lines' numbers
const GATES = ["forget", "input", "output"];

export class Plots {
  #zoom = 2;
  #inspection = null;
  #order = [];
  #named = new Map(); // words by unit

  /** `onPick` is given a character and a unit; `onMove` steps of both. */
  constructor({ onPick, onMove, onOver }) {
    Object.assign(this, { onPick, onMove, onOver });
    byId("heat").addEventListener("click", (event) => this.#at(event, onPick));
    byId("heat").addEventListener("pointermove", (event) => this.#at(event, onOver));
    byId("plots").addEventListener("keydown", (event) => this.#onKey(event));
    byId("zoom-in").addEventListener("click", () => this.#setZoom(this.#zoom + 1));
    byId("zoom-out").addEventListener("click", () => this.#setZoom(this.#zoom - 1));
    byId("gates-of").addEventListener("change", () => this.#drawGates());
    this.draw = oncePerFrame(() => this.#draw());
  }

  get #size() {
    return ZOOMS[this.#zoom];
  }

  /** `named` says what units do, by unit; `order` has every unit, row by row. */
  show(inspection, { order, named, unit, at }) {
    this.#inspection = inspection;
    this.#order = order;
    this.#named = named;
    this.mark(at, unit);
    this.draw();
  }

  /** The column and the row that are looked at. */
  mark(at, unit) {
    const isOther = unit !== this.unit;
    Object.assign(this, { at, unit });
    const { column, row } = this.#size;
    byId("column").hidden = at < 0;
    byId("column").style.left = `${(at + 0.5) * column}px`;
    byId("unit-row").style.top = `${this.#order.indexOf(unit) * row}px`;
    byId("unit-row").style.height = `${Math.max(row, 2)}px`;
    if (at >= 0) keepInSight(byId("plots"), at * column, this.#order.indexOf(unit) * row, isOther);
    if (isOther && byId("gates-of").value === "unit") this.#drawGates();
  }

  #draw() {
    if (!this.#inspection?.length) return;
    this.#drawGates();
    this.#drawHeat();
    this.#drawNames();
    this.mark(this.at, this.unit);
  }

  #setZoom(zoom) {
    this.#zoom = Math.max(0, Math.min(zoom, ZOOMS.length - 1));
    setUsable(byId("zoom-in"), this.#zoom < ZOOMS.length - 1);
    setUsable(byId("zoom-out"), this.#zoom > 0);
    this.#draw();
  }

  #drawGates() {
    const inspection = this.#inspection;
    if (!inspection) return;
    const hasGates = inspection.gates !== null;
    byId("no-gates").hidden = hasGates || !inspection.length;
    for (const id of ["gate-lines", "gate-axis", "gates-of-row"])
      byId(id).toggleAttribute("hidden", !hasGates);
    if (!hasGates) return;
    const numbers = byId("gates-of").value === "unit" ? inspection.units.get(this.unit) : null;
    const { column } = this.#size;
    const width = inspection.length * column;
    const svg = byId("gate-lines");
    svg.setAttribute("width", width);
    svg.setAttribute("height", HEIGHT + AXIS);
    byId("gate-grid").setAttribute("d", [0, 0.5, 1].map((y) => `M0 ${place(y)}H${width}`).join(""));
    const means = GATES.map((gate) => {
      const values = numbers ? numbers.series(gate) : inspection.gates[gate];
      byId(`line-${gate}`).setAttribute("points", points(values, column));
      return `${gate} ${mean(values).toFixed(2)}`;
    });
    const whose = numbers ? `of unit ${this.unit}` : "as means over the units";
    svg.setAttribute("aria-label", `Gates by character, ${whose}; on average ${means.join(", ")}`);
    this.#drawLineNumbers(column);
  }

  /** Where each line of the text begins, below the gate plot. */
  #drawLineNumbers(column) {
    const tokens = this.#inspection.tokens.map(({ read }) => read);
    const ticks = lines(tokens).map(({ first, last }, line) => {
      const x = first * column + 0.5;
      const isWide = (last - first) * column > 26;
      const number = svgEl("text", { x: x + 3, y: HEIGHT + AXIS - 4 });
      number.textContent = isWide ? line + 1 : "";
      return [svgEl("path", { d: `M${x} 0V${HEIGHT + AXIS}` }), number];
    });
    byId("gate-ticks").replaceChildren(...ticks.flat());
  }

  #drawHeat() {
    const inspection = this.#inspection;
    const { length, numUnits } = inspection;
    const canvas = byId("heat");
    const colours = shades();
    const values = inspection[byId("heat-of").value] ?? inspection.hidden;
    Object.assign(canvas, { width: length, height: numUnits });
    canvas.style.width = `${length * this.#size.column}px`;
    canvas.style.height = `${numUnits * this.#size.row}px`;
    const image = new ImageData(length, numUnits);
    const pixels = new Uint32Array(image.data.buffer);
    this.#order.forEach((unit, row) => {
      for (let at = 0; at < length; at++)
        pixels[row * length + at] = colours[shadeOf(values[at * numUnits + unit] / 127)];
    });
    canvas.getContext("2d").putImageData(image, 0, 0);
    canvas.setAttribute("aria-label", `${numUnits} units by ${length} characters`);
  }

  #drawNames() {
    const { row } = this.#size;
    const rows = row >= NAMED_FROM ? this.#order : [];
    byId("unit-names").style.height = `${this.#order.length * row}px`;
    byId("unit-names").style.setProperty("--row", `${row}px`);
    byId("unit-names").replaceChildren(
      ...rows.map((unit) => {
        const words = this.#named.get(unit);
        return el(
          "li",
          words ? { class: "named", title: words } : {},
          words ? `${unit} ${words}` : unit,
        );
      }),
    );
  }

  #at(event, tell) {
    const { left, top, height } = byId("heat").getBoundingClientRect();
    const at = Math.floor((event.clientX - left) / this.#size.column);
    const row = Math.floor(((event.clientY - top) / height) * this.#order.length);
    if (this.#order[row] !== undefined && this.#inspection.tokens[at]) tell(at, this.#order[row]);
  }

  #onKey(event) {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    this.onMove(...step);
  }
}

const place = (value) => Math.round((1 - value) * (HEIGHT - 2)) + 1.5;
const points = (values, column) =>
  values.map((value, at) => `${(at + 0.5) * column},${place(value)}`).join(" ");
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The stylesheet's eleven shades as pixels, so that both are the same in light and dark. */
function shades() {
  const style = getComputedStyle(document.documentElement);
  const bytes = Array.from({ length: 11 }, (_, step) => {
    const hex = parseInt(style.getPropertyValue(`--c${step}`).trim().slice(1), 16);
    return [hex >> 16, (hex >> 8) & 255, hex & 255, 255];
  });
  return new Uint32Array(Uint8Array.from(bytes.flat()).buffer);
}

/** Scrolls sideways to a character, and down to a unit where that is another one. */
function keepInSight(scroller, left, top, isOther) {
  const { scrollLeft, clientWidth, scrollTop, clientHeight } = scroller;
  const gutter = byId("unit-names").offsetWidth;
  const head = byId("gate-plot").offsetHeight;
  if (left < scrollLeft || left > scrollLeft + clientWidth - gutter - 40)
    scroller.scrollLeft = left - (clientWidth - gutter) / 2;
  if (isOther && (top < scrollTop || top > scrollTop + clientHeight - head - 40))
    scroller.scrollTop = top - (clientHeight - head) / 2;
}
