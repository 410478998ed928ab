// A chart of lines over two axes, drawn by hand as SVG. Lines differ in colour, dashes and marks, which
// the stylesheet gives by their class.

import { el, svgEl } from "../dom.js";

const ROOM = { left: 52, right: 14, top: 10, bottom: 40 };

/** A number's place on an axis from 0 to 1; `scale` is "linear" or "log". */
function share({ from, to, scale }, value) {
  if (scale !== "log") return (value - from) / (to - from);
  return Math.log(Math.max(value, from) / from) / Math.log(to / from);
}

export class Chart {
  /** `label` says what is drawn to who does not see it; `height` in pixels. */
  constructor({ label, height = 260 }) {
    this.height = height;
    this.svg = svgEl("svg", { role: "img", "aria-label": label });
    this.legend = el("p", { class: "chart-legend" });
    this.node = el("figure", { class: "chart" }, this.legend, this.svg);
    new ResizeObserver(() => this.#draw()).observe(this.node);
  }

  /** `x` and `y` are axes, {label, from, to, scale, ticks: [[value, text]]}; `lines` have a name, a
   * kind, points and maybe a band (low, high); `at` marks a place on the x axis, `level` one on the other. */
  show({ x, y, lines, at = null, level = null }) {
    this.about = { x, y, lines, at, level };
    this.legend.replaceChildren(
      ...lines.map(({ name, kind }) => el("span", { class: kind }, svgLine(), name)),
    );
    this.#draw();
  }

  #draw() {
    const width = Math.floor(this.node.clientWidth);
    if (!this.about || width < 120) return;
    const { x, y, lines, at, level } = this.about;
    const [w, h] = [width - ROOM.left - ROOM.right, this.height - ROOM.top - ROOM.bottom];
    const px = (value) => ROOM.left + share(x, value) * w;
    const py = (value) => ROOM.top + (1 - share(y, value)) * h;
    this.svg.setAttribute("width", width);
    this.svg.setAttribute("height", this.height);
    const clip = { y: (value) => Math.max(ROOM.top, Math.min(ROOM.top + h, py(value))) };
    this.svg.replaceChildren(
      ...y.ticks.map(([value, text]) => tick(text, ROOM.left - 6, py(value) + 4, "end")),
      ...y.ticks.map(([value]) => rule(ROOM.left, py(value), ROOM.left + w, py(value))),
      ...thinned(x, px).map(([value, text]) => tick(text, px(value), ROOM.top + h + 16, "middle")),
      tick(x.label, ROOM.left + w / 2, this.height - 6, "middle", "axis"),
      turned(y.label, 12, ROOM.top + h / 2),
      ...(level === null ? [] : [rule(ROOM.left, py(level), ROOM.left + w, py(level), "level")]),
      ...lines.flatMap((line) => band(line, px, clip.y)),
      ...lines.flatMap((line) => drawn(line, px, py, y.from)),
      ...(at === null ? [] : [rule(px(at), ROOM.top, px(at), ROOM.top + h, "at")]),
    );
  }
}

function band({ low, high, kind }, px, py) {
  if (!low) return [];
  const upper = high.map(([x, y]) => `${px(x)},${py(y)}`);
  const lower = low.map(([x, y]) => `${px(x)},${py(y)}`).reverse();
  return [svgEl("polygon", { class: `band ${kind}`, points: [...upper, ...lower].join(" ") })];
}

/** A line ends where it leaves the plot at the bottom. */
function drawn({ points, kind, hasMarks }, px, py, least) {
  const seen = points.filter(([, y]) => y >= least).map(([x, y]) => [px(x), py(y)]);
  const line = svgEl("polyline", { class: kind, points: seen.map(String).join(" ") });
  const marks = hasMarks
    ? seen.map(([cx, cy]) => svgEl("circle", { class: kind, cx, cy, r: 3 }))
    : [];
  return [line, ...marks];
}

/** Only ticks that have room beside each other. */
function thinned({ ticks, isDense }, px) {
  const room = isDense ? 7 : 26; // pixels: characters stand closer than numbers
  let last = -Infinity;
  return ticks.filter(([value]) => {
    const isRoom = px(value) - last > room;
    if (isRoom) last = px(value);
    return isRoom;
  });
}

function tick(text, x, y, anchor, kind = "tick") {
  const node = svgEl("text", { x, y, "text-anchor": anchor, class: kind });
  node.textContent = text;
  return node;
}

function turned(text, x, y) {
  const node = tick(text, x, y, "middle", "axis");
  node.setAttribute("transform", `rotate(-90 ${x} ${y})`);
  return node;
}

const rule = (x1, y1, x2, y2, kind = "grid") => svgEl("line", { x1, y1, x2, y2, class: kind });

function svgLine() {
  const svg = svgEl("svg", { width: 30, height: 8, "aria-hidden": "true" });
  svg.append(svgEl("polyline", { points: "0,4 30,4" }));
  return svg;
}

/** Ticks of a logarithmic axis that ends at 1: powers of ten, every third one named. */
export const POWERS = [
  [1, "1"],
  [1e-3, "1/1000"],
  [1e-6, "10⁻⁶"],
  [1e-9, "10⁻⁹"],
  [1e-12, "10⁻¹²"],
];

/** Ticks of a linear axis, [[value, text]]. */
export function ticks(from, to, step) {
  const count = Math.floor((to - from) / step) + 1;
  return Array.from({ length: count }, (_, at) => [from + at * step, String(from + at * step)]);
}
