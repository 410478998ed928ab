// The unit that is looked at: chosen by number, by name or by what it follows; its equations, step by
// step; and every number of it, which the service is asked for when they are first needed.

import { byId, el } from "../dom.js";
import { inspect } from "./asking.js";
import { Equations } from "./equations.js";
import { signed } from "./explain.js";
import { bestFollower, orderByDoing } from "./following.js";
import { namedUnits, whatItDoes } from "./names.js";
import { Player } from "./player.js";
import { TARGETS } from "./targets.js";

const WELL = 0.7; // a correlation that one sees when the unit is painted
const BESIDE = 2; // units above and below in the map whose numbers are asked for too
const SETTLED_MS = 150; // who runs through units wants the numbers of the last one

const placeOf = ({ fingerprint, layer }) => `${fingerprint}/${layer}`;
const namesIn = async ({ fingerprint, layer }) =>
  (await namedUnits(fingerprint)).filter((named) => named.layer === layer);

export class Units {
  #inspection = null;
  #body = null; // the request that the inspection answers
  #names = []; // of the layer's units
  #chosenIn = ""; // the model and layer that the unit was chosen in
  #asked = null; // the AbortController of numbers that are on their way
  #timer = 0;
  #looked = { at: -1, token: "" };

  /** `onChange` is told of another unit, `onNumbers` that more is known of it; `step` goes on. */
  constructor({ onChange, onNumbers, step }) {
    Object.assign(this, {
      onChange,
      onNumbers,
      unit: 0,
      named: new Map(),
      order: [],
    });
    this.equations = new Equations();
    this.player = new Player({
      next: () => step(1),
      stage: (stage) => this.equations.stage(stage),
    });
    byId("unit").addEventListener("input", ({ target }) => this.choose(Number(target.value)));
    byId("unit-number").addEventListener("change", ({ target }) =>
      this.choose(Number(target.value)),
    );
    byId("named-units").addEventListener("change", ({ target }) => {
      if (target.value !== "") this.choose(Number(target.value));
    });
    byId("order").addEventListener("change", () => (this.#sort(), this.onNumbers()));
    byId("find-targets").append(
      ...Object.entries(TARGETS).map(([target, { label }]) =>
        el("option", { value: target }, label),
      ),
    );
    byId("find-unit").addEventListener("click", () => this.#find(byId("find-targets").value));
    byId("step-back").addEventListener("click", () => step(-1));
    byId("step-on").addEventListener("click", () => step(1));
    byId("equations").addEventListener("keydown", (event) => this.#onKey(event, step));
  }

  /** A text begins to be read: its units and their names, and the unit that is asked for, or null. */
  async begin(inspection, body, wanted) {
    this.leave();
    this.#inspection = inspection;
    this.#body = body;
    this.#looked = { at: -1, token: "" };
    byId("unit").max = byId("unit-number").max = inspection.numUnits - 1;
    this.#names = [];
    this.#sort();
    this.#show();
    const names = await namesIn(inspection);
    if (inspection !== this.#inspection) return;
    this.#names = names;
    this.#listNames();
    this.unit = this.#sound(this.#unitOf(names, inspection, wanted));
    this.#show();
    if (inspection.isWhole) this.#needNumbers();
    this.onNumbers();
  }

  /** The unit that will be looked at in a layer of a model, so that its numbers come at once. */
  async expected(model, layer, wanted) {
    if (model?.cell !== "lstm") return [];
    const place = { fingerprint: model.fingerprint, layer: layer ?? model.num_layers - 1 };
    const unit = this.#unitOf(await namesIn(place), place, wanted);
    return unit < model.hidden_size ? [unit] : [];
  }

  /** The one that is asked for, or was chosen in this layer, else the first that has a name. */
  #unitOf(names, place, wanted) {
    if (wanted !== null) return wanted;
    const isChosen = this.#chosenIn === placeOf(place);
    return isChosen || !names.length ? this.unit : names[0].unit;
  }

  /** All is read: now the units can be sorted by what they did. */
  end() {
    this.#sort();
    this.#needNumbers();
  }

  leave() {
    this.player.stop();
    this.#asked?.abort();
    clearTimeout(this.#timer);
  }

  choose(unit) {
    if (this.#inspection) this.#chosenIn = placeOf(this.#inspection);
    this.unit = this.#sound(unit);
    this.#show();
    this.#needNumbers();
    this.onChange();
  }

  /** Some rows down in the map. */
  move(rows) {
    const row = this.order.indexOf(this.unit) + rows;
    if (this.order[row] !== undefined) this.choose(this.order[row]);
  }

  /** The character that is looked at. */
  look(at, token) {
    this.#looked = { at, token };
    const inspection = this.#inspection;
    const numbers = inspection.units.get(this.unit);
    this.equations.show(numbers && at < numbers.length ? numbers : null, at, token);
    const hidden = inspection.value("hidden", at, this.unit);
    const cell = inspection.value("cell", at, this.unit);
    byId("unit-words").textContent =
      cell === null
        ? `Its hidden state is ${signed(hidden)}.`
        : `Its cell is ${signed(cell)} (squashed to between \u22121 and 1), its hidden state ${signed(hidden)}.`;
  }

  #sound(unit) {
    const most = this.#inspection ? this.#inspection.numUnits - 1 : 0;
    return Math.max(0, Math.min(Math.trunc(unit) || 0, most));
  }

  #show() {
    const { unit } = this;
    byId("unit").value = byId("unit-number").value = unit;
    const isNamed = this.named.has(unit);
    byId("named-units").value = isNamed ? unit : "";
    byId("equations-unit").textContent = `${unit} of layer ${this.#inspection.layer + 1}`;
    byId("unit-does").textContent = isNamed ? `It ${this.named.get(unit)}.` : "";
    const hasGates = this.#inspection.cell !== null || this.#inspection.length === 0;
    byId("equations").hidden = !hasGates;
    byId("equations-none").hidden = hasGates;
  }

  #listNames() {
    this.named = new Map(this.#names.map((named) => [named.unit, whatItDoes(named)]));
    byId("named-row").hidden = !this.#names.length;
    byId("named-units").replaceChildren(
      el("option", { value: "" }, "choose one"),
      ...this.#names.map(({ unit, correlation }) =>
        // Both numbers first: a narrow list cuts the words, which stand below it.
        el("option", { value: unit }, `${unit} (${signed(correlation)}) ${this.named.get(unit)}`),
      ),
    );
    this.#sort();
  }

  #sort() {
    const { numUnits, isWhole } = this.#inspection;
    const isByDoing = byId("order").value === "doing" && isWhole;
    const inOrder = Array.from({ length: numUnits }, (_, unit) => unit);
    this.order = isByDoing ? orderByDoing(this.#inspection, this.#names) : inOrder;
  }

  #find(target) {
    const inspection = this.#inspection;
    if (!inspection?.length) return;
    const found = bestFollower(inspection, target);
    const { label } = TARGETS[target];
    if (!found) {
      byId("found").textContent = `There is nothing of the kind to follow in this text: ${label}.`;
      return;
    }
    const { unit, correlation, isHeldOut } = found;
    const place = `${unit} of layer ${inspection.layer + 1}`;
    const over = isHeldOut
      ? "on lines that it was not chosen by"
      : "on the lines that it was chosen by, so some of it is chance";
    const closeness = `correlation ${signed(correlation)} ${over}; 1 and \u22121 are exact, 0 is none`;
    byId("found").textContent =
      Math.abs(correlation) < WELL
        ? `No unit of this layer follows ${label} well; unit ${place} comes nearest (${closeness}). Try another layer or a longer text.`
        : `Unit ${place} follows ${label} best (${closeness}). Another layer may have a better one.`;
    this.choose(unit);
  }

  #needNumbers() {
    clearTimeout(this.#timer);
    if (this.#inspection.cell === null || this.#hasNumbers(this.unit)) return;
    this.#timer = setTimeout(() => this.#askForNumbers(), SETTLED_MS);
  }

  #hasNumbers = (unit) => this.#inspection.units.get(unit)?.length === this.#inspection.length;

  async #askForNumbers() {
    this.#asked?.abort();
    const [stop, inspection] = [(this.#asked = new AbortController()), this.#inspection];
    const row = this.order.indexOf(this.unit);
    const beside = this.order.slice(Math.max(0, row - BESIDE), row + BESIDE + 1);
    const units = beside.filter((unit) => !this.#hasNumbers(unit));
    for (const unit of units) inspection.units.delete(unit);
    const body = { ...this.#body, layer: inspection.layer, top: 0, units };
    try {
      for await (const event of inspect(body, stop.signal)) {
        if (inspection !== this.#inspection || stop.signal.aborted) return;
        if (event.kind !== "part") continue;
        inspection.addUnits(event);
        this.onNumbers();
      }
    } catch (error) {
      if (error.name !== "AbortError") byId("equation-for").textContent = `(${error.message})`;
    }
  }

  #onKey(event, step) {
    const moves = {
      ArrowLeft: () => step(-1),
      ArrowRight: () => step(1),
      ArrowUp: () => this.move(-1),
      ArrowDown: () => this.move(1),
    };
    if (event.key === "Escape") this.player.stop();
    if (event.target.id !== "equations" || !moves[event.key]) return;
    event.preventDefault();
    moves[event.key]();
  }
}
