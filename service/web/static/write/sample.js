// What a first visit sees on the empty sheet: one sentence on what this is, and a sample of it, written
// while one looks. It is on no sheet until it is kept, and gone with the first letter that is typed.

import { send } from "../service/client.js";
import { byId, el, isUsable, setUsable } from "../dom.js";
import { events } from "../service/events.js";
import { remember } from "../keep/store.js";
import { announce } from "../notices.js";
import { ME } from "../text/piece.js";

const MET = "met"; // remembered of who has been here

const PROMPT = "The moon";
export const ASKED = { prompt: PROMPT, temperature: 0.6, seed: 1, max_tokens: 400, max_lines: 4 };
// What the model that ships makes of it, for where there is no service to ask.
export const STORED =
  " hath taken her not long ago,\nAnd she who loves the living lover died.\n\n" +
  "Where the sky winds like a dream of storms,\nWhen the wind is done, and the light trees glide,";
const EVERY_MS = 28; // a letter, as fast as one reads

export const show = (parts) => new Sample(parts);

class Sample {
  #stop = new AbortController();
  #text = ""; // what has come
  #shown = 0; // characters of it
  #model = "verse";

  constructor({ manuscript, sheet }) {
    Object.assign(this, { manuscript, sheet });
    this.#draw();
    this.unfollow = manuscript.onChange(() => this.#leave());
    this.#write();
  }

  #draw() {
    const button = (label, act, props) =>
      el("button", { type: "button", ...props, onclick: act }, label);
    this.told = el("p", { class: "meaning" }, "A sample, being written now:");
    this.letters = el("span", { class: "machine" });
    this.keeping = button("Keep it", () => this.#keep(), { id: "sample-keep" });
    setUsable(this.keeping, false);
    this.node = el(
      "section",
      { id: "sample", "aria-label": "What this is, and a sample" },
      el(
        "p",
        {},
        "This is a sheet to write verse on together with a machine that has read much of it: begin a line, and it goes on, letter by letter.",
      ),
      this.told,
      el("p", { id: "sample-text" }, el("span", { class: "mine" }, PROMPT), this.letters),
      el(
        "div",
        { class: "row" },
        this.keeping,
        button("Start with my own line", () => this.#start(), { id: "sample-start" }),
      ),
    );
    byId("stack").append(this.node);
  }

  async #write() {
    let said = "A sample, written just now by the model here:";
    try {
      await this.#ask();
    } catch {
      if (this.#stop.signal.aborted) return;
      this.#text = STORED;
      said = "A sample, as the model that comes with this page wrote it:";
    }
    setUsable(this.keeping, true);
    this.told.textContent = said;
    this.#show();
  }

  /** No key is asked for, and nobody else is kept waiting: a sample is not worth it. */
  async #ask() {
    const { signal } = this.#stop;
    const asked = { body: ASKED, accept: "text/event-stream", isQuiet: true, signal };
    for await (const { data } of events((await send("/v1/generate", asked)).body)) {
      if (!data || data === "[DONE]") continue;
      const event = JSON.parse(data);
      if (event.error) throw new Error(event.error.message);
      this.#model = event.model ?? this.#model;
      this.#text += event.text ?? "";
      this.#show();
    }
  }

  #show() {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) this.#shown = this.#text.length;
    this.letters.textContent = this.#text.slice(0, this.#shown);
    if (this.#shown < this.#text.length)
      this.timer ??= setTimeout(() => {
        this.timer = null;
        this.#shown++;
        this.#show();
      }, EVERY_MS);
  }

  #keep() {
    if (!isUsable(this.keeping)) return;
    const text = this.#text;
    this.#leave();
    const { seed, temperature } = ASKED;
    const facts = { model: this.#model, seed, settings: { temperature } };
    const by = this.manuscript.addGeneration(facts);
    this.manuscript.sign(by, PROMPT, text);
    const spans = [
      { text: PROMPT, by: ME },
      { text, by },
    ];
    this.manuscript.change(0, 0, spans);
    this.sheet.select(this.manuscript.text.length);
    this.sheet.area.focus();
    announce("The sample is on the sheet");
  }

  #start() {
    this.#leave();
    this.sheet.area.focus();
  }

  #leave() {
    this.#stop.abort();
    this.unfollow();
    clearTimeout(this.timer);
    this.node.remove();
    remember(MET, true);
  }
}
