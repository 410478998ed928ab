// Compare: one prompt and one seed, at several temperatures or with several models, side by side
// and all at once.

import { ServiceError } from "../service/client.js";
import { byId, el, oncePerFrame, setUsable } from "../dom.js";
import { essential, fault, fieldOf } from "../settings/fields.js";
import { BrokenError, generate } from "../service/generation.js";
import { announce, clearNotice, notify, sentence } from "../notices.js";
import { ME } from "../text/piece.js";
import { Progress } from "../service/progress.js";
import { readNumbers } from "../text/numbers.js";
import { lastLines } from "../text/lines.js";
import { linesBefore } from "../text/prompt.js";

const MOST_COLUMNS = 4; // a browser opens six connections to one host
const LINES_SHOWN = 2; // of the prompt, which stands above as a whole

export class View {
  #stop = null;

  constructor(parts) {
    Object.assign(this, parts);
    byId("compare-form").addEventListener(
      "submit",
      (event) => (event.preventDefault(), this.#start()),
    );
    byId("compare-stop").addEventListener("click", () => this.#stop?.abort());
    byId("compare-by").addEventListener("change", () => this.#showChoice());
    this.models.onChange(() => this.#listModels());
    this.#listModels();
    this.#showChoice();
    setUsable(byId("compare-stop"), false);
  }

  open() {
    if (byId("compare-prompt").value) return;
    byId("compare-prompt").value = linesBefore(this.manuscript.text, this.sheet.selection.end);
  }

  #listModels() {
    const isChecked = new Set(
      [...byId("compare-models").querySelectorAll("input:checked")].map((box) => box.value),
    );
    byId("compare-models").replaceChildren(
      el("legend", {}, `Models, at most ${MOST_COLUMNS}`),
      ...this.models.names.map((name, index) =>
        el(
          "label",
          { class: "check" },
          el("input", {
            type: "checkbox",
            value: name,
            checked: isChecked.has(name) || (!isChecked.size && index < MOST_COLUMNS),
          }),
          name,
        ),
      ),
    );
  }

  #showChoice() {
    const isByModel = byId("compare-by").value === "model";
    byId("compare-models").hidden = !isByModel;
    byId("compare-temperatures-row").hidden = isByModel;
  }

  #start() {
    if (this.#stop) return;
    try {
      const settings = this.settings.all;
      const seed = settings.seed ?? Math.floor(Math.random() * 2 ** 32);
      const base = {
        model: this.models.chosen,
        ...settings,
        seed,
        prompt: byId("compare-prompt").value,
      };
      this.#run(
        this.#variants().map((variant) => ({ ...base, ...variant.change, label: variant.label })),
      );
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      notify(error.message);
    }
  }

  /** What differs between the columns. Raises RangeError. */
  #variants() {
    if (byId("compare-by").value === "model") {
      const names = [...byId("compare-models").querySelectorAll("input:checked")].map(
        (box) => box.value,
      );
      return atMost(names).map((model) => ({ label: model, change: { model } }));
    }
    const temperatures = readNumbers(byId("compare-temperatures").value);
    for (const temperature of temperatures) {
      const problem = fault(fieldOf("temperature"), temperature);
      if (problem) throw new RangeError(problem);
    }
    return atMost(temperatures).map((temperature) => ({
      label: `temperature ${temperature}`,
      change: { temperature },
    }));
  }

  async #run(requests) {
    clearNotice();
    this.#stop = new AbortController();
    setUsable(byId("compare-start"), false);
    setUsable(byId("compare-stop"), true);
    announce(`Writing ${requests.length} texts`);
    const columns = requests.map(
      ({ label, ...body }) => new Column(label, body, (column) => this.#take(column)),
    );
    byId("columns").replaceChildren(...columns.map((column) => column.node));
    await Promise.all(columns.map((column) => column.run(this.#stop.signal)));
    this.#stop = null;
    setUsable(byId("compare-start"), true);
    setUsable(byId("compare-stop"), false);
    announce("All are done");
  }

  /** Put a column's text on the sheet, in place of what is there. */
  #take({ body, text, facts }) {
    const { prompt, model, seed, ...settings } = body;
    const by = this.manuscript.addGeneration({
      model: facts?.model ?? model,
      seed,
      settings: essential(settings),
    });
    this.manuscript.sign(by, prompt, text);
    const spans = [
      { text: prompt, by: ME },
      { text, by },
    ];
    this.write.stop();
    this.manuscript.change(0, this.manuscript.text.length, spans);
    this.sheet.select(this.manuscript.text.length);
    this.views.open("write");
    notify("It is on the sheet. Undo brings back what was there.", {
      Undo: () => this.write.undo(),
    });
  }
}

function atMost(list) {
  const different = [...new Set(list)];
  if (!different.length) throw new RangeError("Name at least one to compare.");
  if (different.length > MOST_COLUMNS)
    throw new RangeError(`Compare at most ${MOST_COLUMNS} at once.`);
  return different;
}

class Column {
  constructor(label, body, onTake) {
    Object.assign(this, { body, text: "", facts: null, waiting: "" });
    this.machine = document.createTextNode("");
    const shown = lastLines(body.prompt, LINES_SHOWN);
    this.status = el("p", { class: "column-status" }, "asking …");
    this.paper = el(
      "div",
      { class: "column-text", tabindex: 0, role: "region", "aria-label": `Text at ${label}` },
      shown === body.prompt ? "" : el("span", { class: "meaning" }, "…\n"),
      el("span", { class: "mine" }, shown),
      el("span", { class: "machine" }, this.machine),
    );
    this.node = el(
      "article",
      { "aria-label": label },
      el("h2", {}, label),
      this.paper,
      this.status,
      el("button", { type: "button", onclick: () => onTake(this) }, "Take to the sheet"),
    );
    this.draw = oncePerFrame(() => this.#draw());
  }

  async run(signal) {
    const progress = new Progress((text) => (this.status.textContent = text));
    try {
      for await (const event of generate(this.body, signal)) {
        signal.throwIfAborted();
        progress.take(event);
        if (event.kind === "began") this.facts = event;
        if (event.kind === "text") this.#write(event.text);
      }
      progress.end("done");
    } catch (error) {
      progress.end(outcome(error));
    }
    this.#draw();
  }

  #write(text) {
    this.text += text;
    this.waiting += text;
    this.draw();
  }

  #draw() {
    if (!this.waiting) return;
    this.machine.appendData(this.waiting);
    this.waiting = "";
    this.paper.scrollTop = this.paper.scrollHeight;
  }
}

function outcome(error) {
  if (error.name === "AbortError") return "stopped";
  if (error instanceof BrokenError) return "broken off";
  if (error instanceof ServiceError) return sentence(error.message);
  throw error;
}
