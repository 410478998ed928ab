// What a layer does by character: gates as lines, units as a heat map. Both have the same columns.

import { byId } from "../dom.js";
import { shadeOf } from "./inspection.js";

const COLUMN = 6; // pixels a character
const MOST_HEIGHT = 300;
const GATES = ["forget", "input", "output"];

export class Plots {
  constructor(onPick) {
    byId("heat").addEventListener("click", (event) => {
      const { left, top, height } = byId("heat").getBoundingClientRect();
      const at = Math.floor((event.clientX - left) / COLUMN);
      onPick(at, Math.floor(((event.clientY - top) / height) * this.numUnits));
    });
  }

  show(inspection, kind) {
    this.numUnits = inspection.numUnits;
    this.#drawGates(inspection);
    this.#drawHeat(inspection, kind);
  }

  /** The column and the row that are looked at. */
  mark(at, unit) {
    const column = byId("column");
    column.hidden = at < 0;
    column.style.left = `${(at + 0.5) * COLUMN}px`;
    const height = byId("heat").clientHeight;
    byId("unit-row").style.top =
      `${byId("heat").offsetTop + ((unit + 0.5) / this.numUnits) * height}px`;
    if (at >= 0) keepInSight(byId("plots"), at * COLUMN);
  }

  #drawGates({ gates, length }) {
    byId("no-gates").hidden = gates !== null;
    byId("gate-lines").toggleAttribute("hidden", gates === null);
    if (gates === null) return;
    byId("gate-lines").setAttribute("viewBox", `0 0 ${length * COLUMN} 100`);
    byId("gate-lines").style.width = `${length * COLUMN}px`;
    for (const gate of GATES) byId(`line-${gate}`).setAttribute("points", points(gates[gate]));
    const means = GATES.map((gate) => `${gate} ${mean(gates[gate]).toFixed(2)}`).join(", ");
    byId("gate-lines").setAttribute("aria-label", `Gates by character, on average: ${means}`);
  }

  #drawHeat(inspection, kind) {
    const { length, numUnits } = inspection;
    const canvas = byId("heat");
    const colours = shades();
    const values = inspection[kind];
    Object.assign(canvas, { width: length, height: numUnits });
    canvas.style.width = `${length * COLUMN}px`;
    canvas.style.height = `${Math.min(Math.max(numUnits, 120), MOST_HEIGHT)}px`;
    const image = new ImageData(length, numUnits);
    for (let at = 0; at < length; at++) {
      for (let unit = 0; unit < numUnits; unit++) {
        image.data.set(
          colours[shadeOf(values[at * numUnits + unit] / 127)],
          (unit * length + at) * 4,
        );
      }
    }
    canvas.getContext("2d").putImageData(image, 0, 0);
    canvas.setAttribute(
      "aria-label",
      `${numUnits} units by ${length} characters; choose a unit with the slider`,
    );
  }
}

const points = (values) =>
  values.map((value, at) => `${(at + 0.5) * COLUMN},${(1 - value) * 100}`).join(" ");
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The stylesheet's eleven shades as bytes, so that both are the same in light and dark. */
function shades() {
  const style = getComputedStyle(document.documentElement);
  return Array.from({ length: 11 }, (_, step) => {
    const hex = parseInt(style.getPropertyValue(`--c${step}`).trim().slice(1), 16);
    return [hex >> 16, (hex >> 8) & 255, hex & 255, 255];
  });
}

function keepInSight(scroller, left) {
  const { scrollLeft, clientWidth } = scroller;
  if (left < scrollLeft || left > scrollLeft + clientWidth - 40)
    scroller.scrollLeft = left - clientWidth / 2;
}
