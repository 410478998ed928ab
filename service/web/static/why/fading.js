// How a memory fades: a factor a step, to be tried out. Nothing of it is measured; it is arithmetic.

import { el } from "../dom.js";
import { Chart, POWERS, ticks } from "./chart.js";
import { left, part, sigmoid } from "./numbers.js";

const STEPS = 200;
const LEAST = 1e-12;
// What one step leaves in each cell, as a function of what one may set.
const CELLS = [
  {
    cell: "rnn",
    label: "rnn: its recurrent weight",
    least: 0.5,
    most: 1,
    initial: 0.77,
    share: (weight) => weight,
    says: (weight) => `${weight.toFixed(2)} is left of it each time, whatever is read`,
  },
  {
    cell: "gru",
    label: "gru: its update gate",
    least: 0,
    most: 1,
    initial: 0.4,
    share: (gate) => 1 - gate,
    says: (gate) => `the gate stands at ${gate.toFixed(2)}, so ${(1 - gate).toFixed(2)} is left`,
  },
  {
    cell: "lstm",
    label: "lstm: the bias of its forget gate",
    least: -2,
    most: 6,
    initial: 4,
    share: sigmoid,
    says: (bias) => `σ(${bias.toFixed(1)}) = ${sigmoid(bias).toFixed(3)} is left`,
  },
];

/** The section's parts: sliders, chart, and what they say. */
export function fading() {
  const chart = new Chart({ label: "What is left of a memory by steps, as set above" });
  const told = el("p", { id: "fading-told", role: "status" });
  const steps = slider("steps", { least: 1, most: STEPS, step: 1, initial: 50 });
  const sliders = CELLS.map(({ cell, ...about }) => slider(cell, about));
  const words = sliders.map(() => el("span", { class: "meaning" }));
  const draw = () => {
    const values = sliders.map(({ value }) => Number(value));
    const shares = CELLS.map(({ share }, index) => share(values[index]));
    const count = Number(steps.value);
    CELLS.forEach(({ says }, index) => (words[index].textContent = says(values[index])));
    told.textContent = `After ${count} letters there is left: ${CELLS.map(
      ({ cell }, index) => `${cell} ${part(left(shares[index], count))}`,
    ).join("; ")}.`;
    chart.show({
      x: { label: "letters read since", from: 0, to: STEPS, ticks: ticks(0, STEPS, 25) },
      y: { label: "left", from: LEAST, to: 1, scale: "log", ticks: POWERS },
      lines: CELLS.map(({ cell }, index) => ({
        name: cell,
        kind: `cell-${cell}`,
        points: Array.from({ length: STEPS + 1 }, (_, at) => [at, left(shares[index], at)]),
      })),
      at: count,
    });
  };
  for (const each of [steps, ...sliders]) each.addEventListener("input", draw);
  const rows = CELLS.map(({ label }, index) =>
    el("label", {}, label, sliders[index], words[index]),
  );
  const node = el(
    "div",
    { class: "tryout" },
    ...rows,
    el("label", {}, "letters read since", steps),
    told,
  );
  draw();
  return [node, chart.node];
}

function slider(name, { least, most, step = 0.01, initial }) {
  return el("input", {
    type: "range",
    id: `fading-${name}`,
    min: least,
    max: most,
    step,
    value: initial,
  });
}
