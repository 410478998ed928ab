// The poet's tools, each fetched when it is first used: the panel of forms, and the margin.

import { byId } from "../dom.js";
import { fetched } from "../lazy.js";
import { recall } from "../keep/store.js";
import { notify } from "../notices.js";

export class Tools {
  #made = {}; // by their names, as promises

  /** `parts` are {manuscript, sheet, models, write}. */
  constructor(parts) {
    this.parts = parts;
    byId("form-toggle").addEventListener("click", () =>
      this.#use("forms", (each) => each.toggle()),
    );
    byId("text").addEventListener("keydown", (event) => this.#onKey(event));
    byId("show-counts").addEventListener("change", () => this.#showMargin());
    this.parts.manuscript.onChange(() => this.#watchSongs());
    this.#watchSongs();
    byId("show-counts").checked = recall("counts") === true;
    if (byId("show-counts").checked) this.#showMargin();
  }

  /** Choruses are watched as soon as two sections have been named. */
  #watchSongs() {
    const isSong =
      !this.#made.choruses &&
      /chorus[^]*chorus|refrain[^]*refrain/i.test(this.parts.manuscript.text);
    if (isSong) this.#use("choruses", () => {});
  }

  #onKey(event) {
    if (!event.altKey || event.ctrlKey || event.metaKey || event.code !== "KeyR") return;
    event.preventDefault();
    this.#use("forms", (forms) => forms.offerRhymes());
  }

  #showMargin() {
    const isOn = byId("show-counts").checked;
    return this.#use("margin", (margin) => margin.turn(isOn));
  }

  async #use(name, work) {
    try {
      this.#made[name] ??= make[name](this.parts);
      await this.#made[name];
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      delete this.#made[name];
      notify("This cannot be fetched now.", { "Try again": () => this.#use(name, work) });
      return;
    }
    await work(await this.#made[name]);
  }
}

const STYLES = "./form/form.css";

const make = {
  forms: async (parts) => new (await fetched("./form/composing.js", STYLES)).Composing(parts),
  choruses: async ({ manuscript }) =>
    new (await fetched("./form/choruses.js", STYLES)).Choruses(manuscript),
  margin: async (parts) => new (await fetched("./form/margin.js", STYLES)).Margin(parts),
};
