// The gates of the study's lstm over a poem that it has never read, line by line.

import { el } from "../dom.js";
import { Chart, ticks } from "./chart.js";
import { poemLines } from "./numbers.js";

const GATES = ["forget", "input", "output"];
const SHOWN = { "\n": "↵", " ": "·", "<s>": "▸" };

export function gates({ gates: found }) {
  const lines = poemLines(found.pieces);
  const select = el(
    "select",
    { id: "gates-line" },
    ...lines.map(({ first, last }, at) =>
      el(
        "option",
        { value: at },
        found.pieces
          .slice(first, last)
          .join("")
          .replace(/<s>|\n/g, ""),
      ),
    ),
  );
  const chart = new Chart({
    label: "Mean opening of each gate over a line of the poem",
    height: 220,
  });
  select.value = Math.min(1, lines.length - 1); // the first one behind the title
  const draw = () => chart.show(plot(found, lines[Number(select.value)]));
  select.addEventListener("change", draw);
  draw();
  const { by_kind: kinds } = found;
  const of = (kind, gate) => kinds[kind][gate].toFixed(2);
  return [
    el(
      "p",
      {},
      "Each gate of each unit is open (1) or shut (0) by itself; drawn is the mean over the 128 units of the layer while it reads the character below.",
    ),
    el("div", { class: "tryout" }, el("label", {}, "Line", select)),
    chart.node,
    table(kinds),
    el(
      "p",
      {},
      `The output gate marks the words: ${of("other letters", "output")} open within them, ${of("space", "output")} at spaces, ${of("line end", "output")} at line ends. The input gate is widest open at spaces (${of("space", "input")}), where something new is to be noted. The forget gate moves least. A memory that is cleared at the end of a line does not show in a mean; single units may do that, as one can `,
      el("a", { href: "#view=see&sample=lines" }, "look up in “How it reads”"),
      ".",
    ),
  ];
}

function plot({ pieces, openings }, { first, last }) {
  const shown = pieces.slice(first, last).map((piece, at) => [at, SHOWN[piece] ?? piece]);
  return {
    x: {
      label: "the character that is read",
      from: -0.5,
      to: last - first - 0.5,
      ticks: shown,
      isDense: true,
    },
    y: {
      label: "open",
      from: 0,
      to: 1,
      ticks: ticks(0, 1, 0.5),
    },
    lines: GATES.map((gate) => ({
      name: `${gate} gate`,
      kind: `gate-${gate}`,
      points: openings[gate].slice(first, last).map((value, at) => [at, value]),
      hasMarks: true,
    })),
  };
}

function table(kinds) {
  const head = el(
    "tr",
    {},
    el("th", { scope: "col" }, "character read"),
    ...GATES.map((gate) => el("th", { scope: "col" }, gate)),
  );
  const rows = Object.entries(kinds).map(([kind, means]) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, kind),
      ...GATES.map((gate) => el("td", {}, means[gate].toFixed(2))),
    ),
  );
  return el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows));
}
