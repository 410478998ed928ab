// What the study found: each part as a chart and words, with its own numbers and no others.

import { el } from "../dom.js";
import { Chart, POWERS, ticks } from "./chart.js";
import { CELLS, gained, goodUntil, part, reach } from "./numbers.js";

const STATES = [
  ["rnn", "h"],
  ["gru", "h"],
  ["lstm", "h"],
  ["lstm", "c"],
];
const p = (...children) => el("p", {}, ...children);
const nats = (value) => value.toFixed(3);

/** How far back a loss reaches, untrained and trained, with a slider that reads it off. */
export function gradients(study) {
  const charts = ["untrained", "trained"].map((stage) => [
    stage,
    new Chart({ label: `Gradient by steps back, ${stage}`, height: 280 }),
  ]);
  const steps = el("input", { type: "range", id: "reach-steps", min: 1, max: 200, value: 50 });
  const told = el("p", { id: "reach-told", role: "status" });
  const draw = () => {
    const at = Number(steps.value);
    for (const [stage, chart] of charts) chart.show(gradientPlot(study, stage, at));
    const tell = (stage) =>
      STATES.map(([cell, state]) => {
        const name = cell === "lstm" ? `lstm ${state}` : cell;
        return `${name} ${part(reach(study, stage, cell, state).median[at])}`;
      }).join(", ");
    told.textContent = `${at} steps back. Untrained: ${tell("untrained")}. Trained: ${tell("trained")}.`;
  };
  steps.addEventListener("input", draw);
  draw();
  const panels = charts.map(([stage, { node }]) => el("div", {}, el("h3", {}, stage), node));
  return [
    p(
      "A network learns from what stood k characters ago only if the loss now still depends on it. Drawn is what is left of the gradient k steps back; the axis upwards is logarithmic, so a straight line shrinks by one factor a step.",
    ),
    el("div", { class: "tryout" }, el("label", {}, "steps back", steps), told),
    el("div", { class: "panels" }, ...panels),
    p(
      `Untrained, it is the textbook: 50 steps back the rnn has ${part(untrained(study, "rnn"))} of its gradient left, the gru ${part(untrained(study, "gru"))}, the lstm ${part(untrained(study, "lstm"))}. What keeps it is the forget gate, which begins open.`,
    ),
    p(
      "Training moves it. The gru’s reach grows, and the lstm’s shrinks: on this text it does not pay to remember for long. The lstm’s long reach is what it begins with, and may keep where the task asks for it.",
    ),
  ];
}

const untrained = (study, cell) => reach(study, "untrained", cell).median[50];

function gradientPlot(study, stage, at) {
  const lines = STATES.map(([cell, state]) => {
    const { median, lower, upper } = reach(study, stage, cell, state);
    const first = state === "c" ? 1 : 0; // the loss sees no c at k = 0
    const points = (values) => values.map((value, step) => [step, value]).slice(first);
    return {
      name: cell === "lstm" ? `lstm, ${state}` : cell,
      kind: state === "c" ? "cell-state" : `cell-${cell}`,
      points: points(median),
      low: points(lower),
      high: points(upper),
    };
  });
  return {
    x: { label: "k: steps back", from: 0, to: 200, ticks: ticks(0, 200, 50) },
    y: { label: "gradient left", from: 1e-12, to: 1, scale: "log", ticks: POWERS },
    lines,
    at,
  };
}

/** Recall of a letter across a gap. */
export function recall({ recall: found }) {
  const { alone, mixed, chance } = found;
  const plots = [
    [alone, "each trained on one gap alone"],
    [mixed, `trained on gaps of 0 to ${found.longest_gap}, short ones more often`],
  ].map(([accuracies, title], index) => {
    const chart = new Chart({ label: `Share of right answers by gap, ${title}` });
    chart.show(accuracyPlot(accuracies, index === 1, chance));
    return el("div", {}, el("h3", {}, title), chart.node);
  });
  const worst = mixed.cells.rnn.worst[mixed.gaps.indexOf(50)];
  return [
    p(
      el("code", {}, "c b d h ! f a g f … c e ?"),
      ` asks for f: the letter behind the mark, while others go by. Guessing is right in ${Math.round(chance * 1000) / 10} % of all cases. Lines are means of three networks, bands reach from the worst to the best.`,
    ),
    el("div", { class: "panels" }, ...plots),
    p(
      `One gap alone: the rnn is right up to a gap of ${goodUntil(alone, "rnn")} and no further; gru and lstm up to ${goodUntil(alone, "lstm")}. With short gaps to show the way the lstm is right at every gap up to ${goodUntil(mixed, "lstm")}, four times the longest it was trained on, and the gru up to ${goodUntil(mixed, "gru")}.`,
    ),
    p(
      `The rnn gets there with two networks of three; the third is right in ${Math.round(worst * 100)} % at a gap of 50. It can hold a letter, but finds out less surely how. That an rnn cannot remember is not what this shows; that it hardly learns to, across a long gap, is.`,
    ),
  ];
}

function accuracyPlot({ gaps, cells }, isLog, chance) {
  const place = (gap) => (isLog ? gap + 1 : gap);
  return {
    x: {
      label: isLog ? "letters between (log axis)" : "letters between",
      from: place(0),
      to: place(gaps[gaps.length - 1]),
      scale: isLog ? "log" : "linear",
      ticks: gaps.map((gap) => [place(gap), String(gap)]),
    },
    y: {
      label: "right",
      from: 0,
      to: 1,
      ticks: ticks(0, 1, 0.5),
    },
    level: chance,
    lines: CELLS.map((cell) => {
      const points = (values) => values.map((value, at) => [place(gaps[at]), value]);
      const { mean, worst, best } = cells[cell];
      const band = { low: points(worst), high: points(best) };
      return { name: cell, kind: `cell-${cell}`, points: points(mean), hasMarks: true, ...band };
    }),
  };
}

/** What a filled state is worth on verse. */
export function coldStart({ cold_start: cold, networks }) {
  const chart = new Chart({ label: "Nats per character by position after a cold start" });
  const places = cold.positions.map(([first, last]) => Math.sqrt(first * last));
  const names = cold.positions.map(([first, last]) =>
    first === last ? `${first}` : `${first}–${last}`,
  );
  chart.show({
    x: {
      label: "characters since the begin (log axis)",
      from: 1,
      to: places[places.length - 1] * 1.1,
      scale: "log",
      ticks: places.map((place, at) => [place, names[at]]),
    },
    y: { label: "nats a character", from: 1.4, to: 3.1, ticks: ticks(1.5, 3, 0.5) },
    lines: CELLS.map((cell) => ({
      name: cell,
      kind: `cell-${cell}`,
      points: cold.cells[cell].map((value, at) => [places[at], value]),
      hasMarks: true,
    })),
  });
  const whole = (cell) => nats(networks.cells[cell].nats);
  return [
    p(
      "Each network begins to read with an empty state, as a request does. The further it has read, the less the next character surprises it, as long as the state can hold more. Lower is better.",
    ),
    chart.node,
    p(
      `After eight characters the rnn gains ${nats(gained(cold, "rnn"))} nats from all that follows, the lstm ${nats(gained(cold, "lstm"))} and the gru ${nats(gained(cold, "gru"))}: only the gated cells have a use for what is further back, and in short poems it is a small one.`,
    ),
    p(
      `The lstm is the worst on text here: ${whole("lstm")} nats, rnn ${whole("rnn")}, gru ${whole("gru")}. Equal parameters give it the fewest units (${networks.cells.lstm.units}, against ${networks.cells.rnn.units} and ${networks.cells.gru.units}), and ${networks.updates.toLocaleString("en")} updates are few. Just after the begin it is the best by far.`,
    ),
  ];
}
