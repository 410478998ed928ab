// Lines of a poem as they are said: each word with its stresses above it, what the line keeps of
// its form, in words that poets use, and buttons for what can be done with it.

import { el } from "../dom.js";
import { counted } from "../text/numbers.js";
import { wordsOf } from "./poem.js";

const FAULTS = {
  syllables: ({ wanted }) => `the form wants ${wanted}`,
  metre: ({ wanted }) => `the beats do not fall as ${wanted}`,
  rhyme: ({ found }) => found,
  "distinct rhyme": ({ found }) => `${found}, which should not rhyme`,
  start: ({ found, wanted }) => `begins with “${found}”, not with “${wanted}”`,
  end: ({ found, wanted }) => `ends on “${found}”, not on “${wanted}”`,
  tail: ({ found, wanted }) => `ends on “${found}”, not on “${wanted}”`,
  acrostic: ({ found, wanted }) => `begins with ${found || "no letter"}, and should with ${wanted}`,
  refrain: ({ wanted }) => `should say again: ${wanted}`,
  characters: ({ found, wanted }) => `${found} letters, and the form wants ${wanted}`,
};
const SURE = { guess: " (guessing how a word is said)", unknown: "" };
const KEPT = { metre: "in metre", acrostic: "spells", refrain: "refrain" };

/** What is wrong with a line or poem, in words. */
const faultsOf = ({ checks }) =>
  checks
    .filter((check) => check.is_asked && !check.ok && FAULTS[check.kind])
    .map((check) => FAULTS[check.kind](check) + (SURE[check.source] ?? ""));

/** A line's syllables, its rhyme, and what it keeps or not. */
function factsOf(line) {
  const kept = line.checks.filter((check) => check.is_asked && check.ok && KEPT[check.kind]);
  const asked = line.checks.find((check) => check.kind === "syllables" && check.ok);
  const count = asked?.found ?? line.syllables[0]; // of several ways to say it that of the form
  return [
    count === undefined ? "" : counted(count, "syllable"),
    line.rhyme && line.rhyme !== "-" ? `rhyme ${line.rhyme}` : "",
    ...new Set(kept.map((check) => KEPT[check.kind])),
    ...faultsOf(line),
    ...line.checks.filter((check) => check.kind === "words" && !check.ok).map((each) => each.found),
  ].filter(Boolean);
}

/** The list of a poem's lines. `acts` are {keep, others, rhymes}, functions of a line's index. */
export class Rows {
  constructor(list, acts) {
    Object.assign(this, { list, acts });
  }

  /** Show these lines: {said, isKept, hasForm}; of one that is missing `said` is null, and `wants`
   * tells what it must have. */
  show(lines) {
    while (this.list.children.length > lines.length) this.list.lastChild.remove();
    while (this.list.children.length < lines.length)
      this.list.append(this.#row(this.list.children.length));
    lines.forEach((line, index) => draw(this.list.children[index], line));
  }

  #row(index) {
    const button = (name, label, more = {}) =>
      el(
        "button",
        {
          type: "button",
          "data-act": name,
          "aria-label": `${label}, line ${index + 1}`,
          onclick: () => this.acts[name](index),
          ...more,
        },
        label,
      );
    return el(
      "li",
      {},
      el("span", { class: "verdict" }),
      el("p", { class: "said" }),
      el("p", { class: "meaning" }),
      el(
        "div",
        { class: "row" },
        button("keep", "Keep", { "aria-pressed": "false" }),
        button("others", "Other lines"),
        button("rhymes", "Rhymes", { "aria-expanded": "false" }),
      ),
    );
  }
}

function draw(row, { said, isKept, hasForm, wants = [] }) {
  const [verdict, text, facts, buttons] = row.children;
  const [keep, others, rhymes] = buttons.children;
  row.classList.toggle("faulty", hasForm && said !== null && !said.ok);
  verdict.textContent = said && hasForm ? (said.ok ? "✓" : "✗") : "";
  verdict.title = said && hasForm ? (said.ok ? "keeps the form" : "does not keep the form") : "";
  text.replaceChildren(...(said ? scanned(said) : ["…"]));
  facts.textContent = (said ? factsOf(said) : ["still missing", ...wants]).join(" · ");
  keep.setAttribute("aria-pressed", String(isKept));
  keep.hidden = others.hidden = !said || !hasForm;
  rhymes.hidden = !said;
}

/** A line's words with their marks above. */
function scanned({ text, marks }) {
  const words = wordsOf(text);
  if (words.length !== marks.length) return [text];
  const parts = [];
  let at = 0;
  words.forEach((word, index) => {
    const above = el("rt", { "aria-hidden": "true" }, marks[index].replaceAll("x", "˘"));
    parts.push(text.slice(at, word.start), el("ruby", {}, word.text, above));
    at = word.end;
  });
  return [...parts, text.slice(at)];
}
