// See: how the model reads a text, character by character. Draws what POST /v1/inspect gives, part by
// part, and asks it again when text, model or layer have changed.

import { byId, el, number, oncePerFrame } from "../dom.js";
import { announce, notify, sentence } from "../notices.js";
import { inspect, Progress } from "./asking.js";
import { showCharacter, showGates, signed } from "./explain.js";
import { Inspection, partAround, stepOf } from "./inspection.js";
import { Plots } from "./plots.js";
import { Reading } from "./reading.js";
import { Source } from "./source.js";
import { Units } from "./units.js";

const MOST = 1500; // characters; more is slow to draw, and less where the service takes less
const FEW = 200; // it makes no sense to read less

export class View {
  #seen = null; // what is drawn, or being read: {name, text, model}
  #most = MOST;
  #part = { start: 0, end: 0 };
  #inspection = null;
  #model = undefined; // that it is of
  #stop = null; // of what is being read
  #wantedAt = -1; // the character to look at once it is read
  #wantedLayer = null; // where an address or a ready text asks for one
  #wantedUnit = null;

  constructor(parts) {
    Object.assign(this, parts);
    this.source = new Source({ ...parts, onChange: () => this.#changeSource() });
    this.reading = new Reading(byId("reading"), (at) => this.#look(at));
    this.plots = new Plots({
      onPick: (at, unit) => (this.units.choose(unit), this.reading.look(at)),
      onMove: (characters, units) => this.#move(characters, units),
      onOver: (at, unit) => this.#tellOver(at, unit),
    });
    this.units = new Units({
      onChange: () => this.#unitChanged(),
      onNumbers: () => this.#numbersCame(),
      step: (by) => this.#move(by, 0),
    });
    byId("layer").addEventListener("change", () => this.#ask());
    byId("paint").addEventListener("change", () => this.#paint());
    byId("heat-of").addEventListener("change", () => this.#plot());
    byId("see-link").addEventListener("click", () => this.#copyAddress());
    byId("reading").addEventListener("keydown", (event) => this.#onKey(event));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#plot());
    this.draw = oncePerFrame(() => (this.#paint(), this.#plot()));
  }

  async open() {
    const wanted = await this.source.follow();
    if (wanted) this.#want(wanted);
    const { text, name } = this.source;
    byId("see-empty").hidden = text !== "";
    byId("see-content").hidden = byId("see-told").hidden = text === "";
    byId("see-says").textContent = this.source.sample?.says ?? "";
    byId("take-meaning").hidden = !this.source.isSheet;
    const seen = this.#seen ?? {};
    const isSame = seen.name === name && seen.text === text && seen.model === this.models.chosen;
    if (text && !isSame) await this.#ask({ isNewText: true });
  }

  /** Another view is opened: what is not read yet need not be. */
  leave() {
    if (this.#stop) this.#seen = null;
    this.#stop?.abort();
    this.units.leave();
  }

  #want({ paint, model, layer, unit, at }) {
    this.leave();
    byId("paint").value = paint;
    if (model) this.models.choose(model);
    this.#seen = null;
    this.#wantedLayer = layer;
    this.#wantedAt = at ?? -1;
    this.#wantedUnit = unit;
  }

  async #changeSource() {
    this.#want(await this.source.firstView());
    this.open();
  }

  async #ask({ isNewText = false } = {}) {
    this.leave();
    const stop = (this.#stop = new AbortController());
    const [{ name, text, caret }, model] = [this.source, this.models.chosen];
    this.#seen = { name, text, model };
    const part = partAround(text, caret, this.#most);
    const body = { text: text.slice(part.start, part.end), model, top: 5 };
    const layer = this.#layerOf(model);
    if (layer !== null) body.layer = layer;
    if (!isNewText) this.#wantedAt = this.reading.at;
    byId("see-told").textContent = "";
    const progress = new Progress({
      total: body.text.length,
      onStop: () => stop.abort(),
      onShorter: this.#most > FEW ? () => this.#readLess() : null,
    });
    try {
      await this.#read(body, part, stop.signal, progress);
      this.#end();
    } catch (error) {
      if (stop === this.#stop) this.#tellOfFailure(error, isNewText);
    } finally {
      if (stop === this.#stop) {
        this.#stop = null;
        progress.end();
      }
    }
  }

  async #read(body, part, signal, progress) {
    const wanted = this.#wantedUnit;
    const model = await this.models.factsOf(body.model);
    body.units = await this.units.expected(model, body.layer, wanted);
    for await (const event of inspect(body, signal)) {
      signal.throwIfAborted();
      if (event.kind === "opening")
        this.#begin(new Inspection(event, body.text), part, body, wanted);
      if (event.kind === "part") this.#grow(event);
      progress.take(event, this.#inspection?.length ?? 0);
    }
  }

  /** An address's layer is for once; then that of the select, which the model's answer filled. */
  #layerOf(model) {
    if (this.#wantedLayer !== null) return this.#wantedLayer;
    return this.#inspection && this.#model === model ? Number(byId("layer").value) : null;
  }

  #begin(inspection, part, body, unit) {
    this.#part = part;
    this.#wantedLayer = this.#wantedUnit = null;
    this.#inspection = inspection;
    this.#model = body.model;
    byId("layer").replaceChildren(
      ...Array.from({ length: inspection.numLayers }, (_, layer) =>
        el("option", { value: layer }, layer + 1),
      ),
    );
    byId("layer").value = inspection.layer;
    this.reading.show();
    this.units.begin(inspection, body, unit);
  }

  #grow(part) {
    const inspection = this.#inspection;
    inspection.add(part);
    byId("heat-cell").disabled = inspection.cell === null;
    if (inspection.cell === null) byId("heat-of").value = "hidden";
    this.reading.append(inspection.tokens);
    if (this.#wantedAt >= 0 && this.#wantedAt < inspection.length) this.#lookAt(this.#wantedAt);
    this.draw();
  }

  #end() {
    const inspection = this.#inspection;
    inspection.isWhole = true;
    byId("see-told").textContent = this.#told(inspection);
    this.units.end();
    if (this.reading.at < 0) this.#lookAt(inspection.length - 1);
    this.draw();
    announce(`${number(inspection.length)} characters are read`);
  }

  #lookAt(at) {
    this.#wantedAt = -1;
    this.reading.look(at);
    this.reading.keepInSight();
  }

  #readLess() {
    this.#most = Math.floor(this.#most / 2);
    this.#ask({ isNewText: true });
  }

  #tellOfFailure(error, isNewText) {
    this.#seen = null;
    if (error.name === "AbortError") {
      const read = number(this.#inspection?.length ?? 0);
      byId("see-told").textContent = `stopped after ${read} characters`;
      return;
    }
    if (error.status === 413 && this.#most > FEW) {
      this.#readLess();
      return;
    }
    const less = this.#most > FEW ? { "Read half as much": () => this.#readLess() } : {};
    notify(`The text was not read to its end. ${sentence(error.message)}`, {
      "Try again": () => this.#ask({ isNewText }),
      ...less,
    });
  }

  #told({ numFolded, numUnknown }) {
    const { start, end } = this.#part;
    const all = this.source.text.length;
    const around = this.source.isSheet ? ", around the caret" : "";
    const part =
      end - start < all
        ? `characters ${number(start + 1)} to ${number(end)} of ${number(all)}${around}`
        : `${number(all)} characters`;
    const folded = numFolded ? `, ${numFolded} read as others that it knows` : "";
    return part + folded + (numUnknown ? `, ${numUnknown} unknown to it` : "");
  }

  #paint() {
    const inspection = this.#inspection;
    if (!inspection?.length) return;
    const isUnit = byId("paint").value === "unit";
    byId("legend-surprisal").hidden = isUnit;
    byId("legend-unit").hidden = !isUnit;
    if (!isUnit) this.reading.paintSurprisal(inspection.tokens);
    else
      this.reading.paintUnit(inspection.tokens, (at) =>
        inspection.value(inspection.richest, at, this.units.unit),
      );
  }

  #plot() {
    if (!this.#inspection?.length) return;
    const { order, named, unit } = this.units;
    this.plots.show(this.#inspection, { order, named, unit, at: this.reading.at });
  }

  #unitChanged() {
    byId("paint").value = "unit";
    this.#paint();
    this.#numbersCame();
  }

  #numbersCame() {
    if (this.reading.at >= 0) this.units.look(this.reading.at, this.#tokenAt(this.reading.at));
    this.#plot();
  }

  #tokenAt = (at) => this.#inspection.tokens[at].token;

  #look(at) {
    const token = this.#inspection.tokens[at];
    showCharacter(token, stepOf(token.surprisal), (other) => this.#take(at, other));
    showGates(this.#inspection, at);
    this.units.look(at, token.token);
    this.plots.mark(at, this.units.unit);
  }

  /** Some characters on, and some units down in the map; false where there is no such character. */
  #move(characters, units) {
    if (units) this.units.move(units);
    const at = this.reading.at + characters;
    if (!characters || !this.#inspection?.tokens[at]) return false;
    this.reading.look(at);
    return true;
  }

  #tellOver(at, unit) {
    const value = this.#inspection.value(byId("heat-of").value, at, unit);
    const name = this.units.named.get(unit);
    const who = name ? `Unit ${unit}, which ${name},` : `Unit ${unit}`;
    byId("map-told").textContent = `${who} at character ${number(at + 1)}: ${signed(value)}`;
  }

  #copyAddress() {
    return this.source.copyAddress({
      text: this.source.text.slice(this.#part.start, this.#part.end),
      model: this.models.chosen,
      layer: this.#inspection?.layer ?? 0,
      unit: this.units.unit,
      at: Math.max(0, this.reading.at),
      paint: byId("paint").value,
    });
  }

  /** Write on from a character with another one in its place; only the sheet goes on. */
  #take(at, token) {
    if (!this.source.isSheet) {
      notify("This text is not on your sheet, so nothing can go on from it there.");
      return;
    }
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
