// Why an LSTM: what the cell study measured, drawn from its numbers, and a memory to try out.

import { byId, el } from "../dom.js";
import { getJson } from "../service/client.js";
import { notify, sentence } from "../notices.js";
import { fading } from "./fading.js";
import { coldStart, gradients, recall } from "./findings.js";
import { gates } from "./gates.js";

export class View {
  #isDrawn = false;

  async open() {
    if (this.#isDrawn) return;
    try {
      const study = await getJson(new URL("study.json", import.meta.url));
      this.#draw(study);
    } catch (error) {
      notify(`The study cannot be fetched. ${sentence(error.message)}`, {
        "Try again": () => this.open(),
      });
    }
  }

  #draw(study) {
    if (this.#isDrawn) return;
    this.#isDrawn = true;
    const { cells, updates } = study.networks;
    const sizes = Object.entries(cells).map(([cell, { units }]) => `${cell} ${units}`);
    byId("why").replaceChildren(
      intro(),
      section("A memory that fades, or does not", "arithmetic, to be tried out", fading()),
      section("How far back a loss reaches", "measured", gradients(study)),
      section("A letter remembered across others", "measured", recall(study)),
      section("What a memory is worth on verse", "measured", coldStart(study)),
      section("When the gates open", "measured", gates(study)),
      section("How it was measured", "", [
        el(
          "p",
          {},
          `Three networks of one layer and nearly equal size (units: ${sizes.join(", ")}; ${cells.lstm.parameters.toLocaleString("en")} parameters, give or take 2 %), the same text, batches, seed and ${updates.toLocaleString("en")} updates for all, none tuned for one of them. Recurrent matrices begin orthogonal, so this rnn forgets far more slowly than the textbook’s. It is one run, on one small text; “strophe study” makes it again on yours.`,
        ),
      ]),
    );
  }
}

function intro() {
  return el(
    "p",
    { class: "intro" },
    "A recurrent network reads one character after the other and carries a state along. A plain one (rnn) makes its whole state anew at each step. A gru mixes the new with the old by two gates. An lstm has a cell beside its state, which is not made anew but kept and added to: three gates say how much is kept, written and shown. What is that good for?",
  );
}

function section(title, kind, parts) {
  const heading = el("h2", {}, title, kind ? el("span", { class: "kind" }, kind) : "");
  return el("section", { "aria-label": title }, heading, ...parts);
}
