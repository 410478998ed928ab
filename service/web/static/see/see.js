// See: how the model reads the sheet's text, character by character. Draws what POST /v1/inspect
// gives, and asks it again when text, model or layer have changed.

import { getJson } from "../service/client.js";
import { byId, el, number } from "../dom.js";
import { showCharacter, showGates, signed } from "./explain.js";
import { Inspection, partAround, stepOf } from "./inspection.js";
import { announce, notify, sentence } from "../notices.js";
import { Plots } from "./plots.js";
import { Reading } from "./reading.js";

const WELL = 0.7; // a correlation that one sees when the unit is painted
const MOST = 1500; // characters; more is slow to draw, and less where the service takes less

export class View {
  #seen = null; // what is drawn: {text, model, layer}
  #most = MOST;
  #part = { start: 0, end: 0 };
  #inspection = null;

  constructor(parts) {
    Object.assign(this, parts);
    this.reading = new Reading(byId("reading"), (at) => this.#look(at));
    this.plots = new Plots((at, unit) => (this.#setUnit(unit), this.reading.look(at)));
    byId("layer").addEventListener("change", () => this.#ask());
    byId("paint").addEventListener("change", () => this.#paint());
    byId("heat-of").addEventListener("change", () => this.#plot());
    byId("unit").addEventListener("input", (event) => this.#setUnit(Number(event.target.value)));
    byId("unit-number").addEventListener("change", (event) =>
      this.#setUnit(Number(event.target.value)),
    );
    byId("find-line").addEventListener("click", () =>
      this.#find("columns", "the length of the line"),
    );
    byId("find-quotes").addEventListener("click", () => this.#find("quoted", "quotation"));
    byId("reading").addEventListener("keydown", (event) => this.#onKey(event));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#plot());
  }

  get unit() {
    return Number(byId("unit").value);
  }

  async open() {
    const { text } = this.manuscript;
    byId("see-empty").hidden = text !== "";
    byId("see-content").hidden = text === "";
    const isSame = this.#seen?.text === text && this.#seen.model === this.models.chosen;
    if (text && !isSame) await this.#ask({ isNewText: true });
  }

  async #ask({ isNewText = false } = {}) {
    const { text } = this.manuscript;
    const model = this.models.chosen;
    const layer = byId("layer").value;
    const part = partAround(text, this.sheet.selection.end, this.#most);
    const body = { text: text.slice(part.start, part.end), model, top: 5 };
    if (layer !== "" && this.#seen?.model === model) body.layer = Number(layer);
    byId("see-told").textContent = "reading …";
    try {
      const answer = await getJson("/v1/inspect", { body });
      this.#part = part;
      this.#seen = { text, model };
      this.#show(new Inspection(answer, body.text), isNewText);
    } catch (error) {
      if (error.status === 413 && this.#most > 100) {
        this.#most = Math.floor(this.#most / 2);
        return this.#ask({ isNewText });
      }
      byId("see-told").textContent = "";
      notify(sentence(error.message), { "Try again": () => this.#ask({ isNewText }) });
    }
    return undefined;
  }

  #show(inspection, isNewText) {
    const before = this.reading.at;
    this.#inspection = inspection;
    byId("see-told").textContent = this.#told(inspection);
    const layers = Array.from({ length: inspection.numLayers }, (_, layer) =>
      el("option", { value: layer }, layer + 1),
    );
    byId("layer").replaceChildren(...layers);
    byId("layer").value = inspection.layer;
    byId("unit").max = byId("unit-number").max = inspection.numUnits - 1;
    byId("heat-cell").disabled = inspection.cell === null;
    if (inspection.cell === null) byId("heat-of").value = "hidden";
    this.reading.show(inspection.tokens);
    this.#paint();
    this.#plot();
    this.reading.look(isNewText || before < 0 ? inspection.length - 1 : before);
    announce(`${number(inspection.length)} characters are read`);
  }

  #told({ numFolded, numUnknown }) {
    const { start, end } = this.#part;
    const all = this.manuscript.text.length;
    const part =
      end - start < all
        ? `characters ${number(start + 1)} to ${number(end)} of ${number(all)}, around the caret`
        : `${number(all)} characters`;
    const folded = numFolded ? `, ${numFolded} read as others that it knows` : "";
    return part + folded + (numUnknown ? `, ${numUnknown} unknown to it` : "");
  }

  #paint() {
    const inspection = this.#inspection;
    if (!inspection) return;
    const isUnit = byId("paint").value === "unit";
    byId("legend-surprisal").hidden = isUnit;
    byId("legend-unit").hidden = !isUnit;
    if (!isUnit) this.reading.paintSurprisal(inspection.tokens);
    else
      this.reading.paintUnit(inspection.tokens, (at) =>
        inspection.value(inspection.richest, at, this.unit),
      );
  }

  #plot() {
    if (!this.#inspection) return;
    this.plots.show(this.#inspection, byId("heat-of").value);
    this.plots.mark(this.reading.at, this.unit);
  }

  #setUnit(unit) {
    const most = this.#inspection ? this.#inspection.numUnits - 1 : 0;
    const sound = Math.max(0, Math.min(Math.trunc(unit) || 0, most));
    byId("unit").value = byId("unit-number").value = sound;
    byId("paint").value = "unit";
    this.#paint();
    if (this.reading.at >= 0) this.#look(this.reading.at);
  }

  #look(at) {
    const inspection = this.#inspection;
    const token = inspection.tokens[at];
    showCharacter(token, stepOf(token.surprisal), (other) => this.#take(at, other));
    showGates(inspection, at, this.unit);
    this.plots.mark(at, this.unit);
  }

  #find(series, what) {
    if (!this.#inspection) return;
    const { unit, correlation } = this.#inspection.mostLike(this.#inspection[series]);
    const name = `Unit ${unit} of layer ${this.#inspection.layer + 1}`;
    const closeness = `correlation ${signed(correlation)}; 1 and \u22121 are exact, 0 is none`;
    byId("found").textContent = !correlation
      ? `There is no ${what} to follow in this text.`
      : Math.abs(correlation) < WELL
        ? `No unit of this layer follows ${what} well; ${name} comes nearest (${closeness}). Try another layer.`
        : `${name} follows ${what} best (${closeness}). Another layer may have a better one.`;
    if (correlation) this.#setUnit(unit);
  }

  /** Write on from a character with another one in its place. */
  #take(at, token) {
    const position = this.#part.start + this.#inspection.starts[at];
    this.views.open("write");
    byId("text").focus();
    this.write.branch(position, token);
    notify("What stood behind was taken away; undo brings it back.", {
      Undo: () => this.write.undo(),
    });
  }

  #onKey(event) {
    if (event.key !== "Enter") return;
    event.preventDefault();
    byId("top").querySelector("button")?.focus();
  }
}
