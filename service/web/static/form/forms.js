// What is asked of a poem: the form, and the fields beside it. They stay in this browser.

import { getJson } from "../service/client.js";
import { byId, el } from "../dom.js";
import { SONG_LABELS } from "./arrangement.js";
import { specOf } from "./poem.js";
import { OWN, SongForm } from "./song_form.js";
import { recall, remember } from "../keep/store.js";

const KEPT = "form";
const TEXTS = { form: "form", word: "form-word", title: "form-title", avoid: "form-avoid" };
const CHOICES = { gives: "form-gives", modern: "form-modern", bare: "form-bare" };
const FIRST = "haiku";
const WORD = /^['’]?\p{L}[\p{L}\p{N}'’-]*$/u;

export class Forms {
  #known = new Map();

  /** `onChange` is told of another form or word. */
  constructor(onChange) {
    byId("form-ask").addEventListener("input", () => this.#changed());
    this.onChange = onChange;
    this.song = new SongForm(() => this.#changed());
  }

  /** Raises ServiceError. */
  async load() {
    if (this.#known.size) return;
    const { forms } = await getJson("/v1/forms");
    this.#known = new Map([...forms, OWN].map((form) => [form.name, form]));
    const option = ({ name }) => el("option", { value: name }, name.replace("-", " "));
    byId("form").replaceChildren(...[...this.#known.values()].map(option));
    const kept = recall(KEPT) ?? {};
    for (const [name, id] of Object.entries(TEXTS)) byId(id).value = String(kept[name] ?? "");
    for (const [name, id] of Object.entries(CHOICES)) byId(id).checked = kept[name] === true;
    if (kept.song) this.song.restore(kept.song);
    if (!this.#known.has(byId("form").value)) byId("form").value = FIRST;
    this.#changed();
  }

  /** Choose an acrostic of a word. */
  spell(word) {
    byId("form").value = "acrostic";
    byId("form-word").value = word;
    this.#changed();
  }

  /** The chosen form as lists of what its lines must have; null until that can be said. */
  get spec() {
    const form = this.#known.get(byId("form").value);
    if (!form || (form.takes_word && !this.#word)) return null;
    return form === OWN ? (this.#ownSong?.spec ?? null) : specOf(form, this.#word);
  }

  /** The labels of its stanzas, where it is a song and they are wanted. */
  get labels() {
    if (byId("form-bare").checked) return [];
    if (byId("form").value === "song") return SONG_LABELS;
    return byId("form").value === OWN.name ? (this.#ownSong?.labels ?? []) : [];
  }

  get #ownSong() {
    try {
      return this.song.arranged;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return null; // told when it is asked for
    }
  }

  /** The fields of a request. Raises RangeError, which says what is missing. */
  get request() {
    const form = this.#known.get(byId("form").value);
    if (!form) throw new RangeError("The forms are not here yet.");
    if (form.takes_word && !this.#word) {
      byId("form-word").focus();
      throw new RangeError(
        form.name === "acrostic"
          ? "Which word should the lines spell?"
          : "Which words should the lines end with?",
      );
    }
    if (form === OWN) return { spec: this.song.arranged.spec, ...this.manner };
    return {
      form: form.name,
      ...(form.takes_word && { word: this.#word }),
      ...this.manner,
    };
  }

  /** What is asked for beside the form. Raises RangeError. */
  get manner() {
    const title = byId("form-title").value.trim();
    const avoid = byId("form-avoid").value.match(/[^\s,;]+/g);
    const odd = avoid?.find((word) => !WORD.test(word));
    if (odd) throw new RangeError(`Words to avoid: “${odd}” is no word.`);
    return {
      ...(title && { title }),
      ...(avoid && { avoid }),
      ...(byId("form-gives").checked && { strict: false }),
      ...(byId("form-modern").checked && { modern: true }),
    };
  }

  get #word() {
    return byId("form-word").value.trim();
  }

  #changed() {
    const form = this.#known.get(byId("form").value);
    byId("form-word-row").hidden = !form?.takes_word;
    byId("form-song").hidden = form !== OWN;
    byId("form-meaning").textContent = form ? `${form.description}.` : "";
    const texts = Object.entries(TEXTS).map(([name, id]) => [name, byId(id).value]);
    const choices = Object.entries(CHOICES).map(([name, id]) => [name, byId(id).checked]);
    remember(KEPT, { ...Object.fromEntries([...texts, ...choices]), song: this.song.kept });
    this.onChange();
  }
}
