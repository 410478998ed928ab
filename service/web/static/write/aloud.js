// Reading aloud by the browser's own voices, line by line from the caret's line on. The line that is
// read is marked and kept in sight. Where there are no voices the button stays away.

import { byId, oncePerFrame } from "../dom.js";
import { recall, remember } from "../keep/store.js";
import { notify, showStatus } from "../notices.js";
import { moved } from "../text/edit.js";
import { lineStart } from "../text/lines.js";
import { TYPING } from "../text/manuscript.js";

const KEPT = "aloud";
const LANGUAGES = { Hiragana: "ja", Katakana: "ja", Hangul: "ko", Han: "zh", Cyrillic: "ru", Greek: "el" };
const SCRIPTS = Object.entries(LANGUAGES).map(([script, language]) => ({
  letters: new RegExp(`\\p{Script=${script}}`, "gu"),
  language,
}));

export class Aloud {
  #speech = globalThis.speechSynthesis ?? null;
  #line = null; // {start, end} of the one that is read
  #said = null; // the utterance, which must not be collected
  #mark = oncePerFrame(() => this.#line && this.sheet.ink.mark(this.#line.start));

  constructor({ manuscript, sheet }) {
    Object.assign(this, { manuscript, sheet });
    if (!this.#speech) return;
    this.#offer();
    this.#speech.addEventListener("voiceschanged", () => this.#offer());
    byId("aloud-rate").value = recall(KEPT)?.rate ?? "1";
    this.#connect();
  }

  /** Read from the caret's line on. */
  start() {
    const { text } = this.manuscript;
    this.#open(true);
    this.#read(lineStart(text, this.sheet.caret));
    byId("aloud-pause").focus();
  }

  stop() {
    if (!this.#line) return;
    this.#line = null;
    this.#fallSilent();
    this.sheet.ink.mark(null);
    const hadFocus = byId("aloud").contains(document.activeElement);
    this.#open(false);
    if (hadFocus) byId("text").focus();
  }

  get #isPaused() {
    return byId("aloud-pause").getAttribute("aria-pressed") === "true";
  }

  #offer() {
    byId("read-aloud").hidden = this.#speech.getVoices().length === 0;
  }

  #open(isOpen) {
    byId("aloud").hidden = !isOpen;
    byId("aloud-pause").setAttribute("aria-pressed", "false");
  }

  /** The line at a position, or the next one that has something to say. */
  #read(position) {
    const { text } = this.manuscript;
    const found = /[^\n]*[\p{L}\p{N}][^\n]*/u.exec(text.slice(position));
    if (!found) {
      this.stop();
      return showStatus("Read to the end.");
    }
    const start = position + found.index;
    this.#line = { start, end: start + found[0].length };
    this.#speak();
  }

  #speak() {
    const { start, end } = this.#line;
    const line = this.manuscript.text.slice(start, end);
    const said = new SpeechSynthesisUtterance(line);
    said.lang = languageOf(line);
    said.rate = Number(byId("aloud-rate").value);
    said.addEventListener("end", () => this.#said === said && this.#read(this.#line.end));
    said.addEventListener("error", () => this.#said === said && this.#fail());
    this.#said = said;
    this.sheet.end.go(-1); // the machine may write on at the end meanwhile
    this.sheet.reveal(start);
    this.sheet.ink.mark(start);
    this.#speech.speak(said);
  }

  #fail() {
    this.stop();
    notify("The browser could not read this aloud.");
  }

  #fallSilent() {
    this.#said = null; // so that its end is nobody's
    this.#speech.cancel();
  }

  /** Browsers that speak on a distance cannot pause within a line: it is begun again. */
  #pause() {
    const isPaused = !this.#isPaused;
    byId("aloud-pause").setAttribute("aria-pressed", String(isPaused));
    if (isPaused) this.#fallSilent();
    else this.#speak();
  }

  /** What is written elsewhere moves the line along. */
  #follow({ start, removed, added, origin }) {
    const line = this.#line;
    if (!line) return;
    const isAtEnd = start === line.end && !removed;
    const isThere = start <= line.end && start + removed >= line.start;
    if (isThere && !(isAtEnd && origin !== TYPING)) return this.stop();
    if (start < line.start) {
      const at = moved(line.start, { start, removed, added });
      this.#line = { start: at, end: at + line.end - line.start };
    }
    this.#mark();
  }

  #connect() {
    const stop = () => this.stop();
    byId("read-aloud").addEventListener("click", () => (this.#line ? stop() : this.start()));
    byId("aloud-pause").addEventListener("click", () => this.#pause());
    byId("aloud-stop").addEventListener("click", stop);
    byId("aloud-rate").addEventListener("change", ({ target }) => {
      remember(KEPT, { rate: target.value });
      if (!this.#isPaused) {
        this.#fallSilent();
        this.#speak();
      }
    });
    byId("aloud").addEventListener("keydown", ({ key }) => key === "Escape" && stop());
    this.manuscript.onChange((change) => this.#follow(change));
    addEventListener("pagehide", stop);
    new MutationObserver(stop).observe(document.body, { attributeFilter: ["data-view"] });
  }
}

/** A line's language by the letters that it is written in; English where they do not tell. */
function languageOf(line) {
  const counts = SCRIPTS.map(({ letters }) => line.match(letters)?.length ?? 0);
  const [kana] = SCRIPTS.filter(({ language }, at) => language === "ja" && counts[at]);
  if (kana) return "ja"; // which is written with Han as well
  const most = Math.max(...counts);
  return most ? SCRIPTS[counts.indexOf(most)].language : "en";
}
