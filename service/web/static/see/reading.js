// The text of See, a character an element, painted. One tab stop: arrow keys walk through it, as
// they do in a list; a click keeps the character while the pointer goes elsewhere.

import { el } from "../dom.js";
import { shadeOf, stepOf } from "./inspection.js";

export class Reading {
  #characters = [];
  #lineOf = [];
  #at = -1;
  #isKept = false;

  constructor(node, onLook) {
    this.node = node;
    this.onLook = onLook;
    node.addEventListener("pointermove", (event) => this.#onPointer(event, false));
    node.addEventListener("click", (event) => this.#onPointer(event, true));
    node.addEventListener("keydown", (event) => this.#onKey(event));
    node.addEventListener("focus", () => this.#at < 0 && this.look(0));
  }

  get at() {
    return this.#at;
  }

  show(tokens) {
    this.#characters = tokens.map(({ token }, at) =>
      el(
        "span",
        { role: "option", id: `character-${at}`, "aria-selected": "false", "data-at": at },
        shown(token),
      ),
    );
    tokens.forEach(
      ({ isUnknown }, at) => isUnknown && this.#characters[at].setAttribute("data-unknown", ""),
    );
    const lines = [el("div", { role: "group" })];
    this.#lineOf = [];
    this.#characters.forEach((character, at) => {
      lines[lines.length - 1].append(character);
      this.#lineOf.push(lines.length - 1);
      if (tokens[at].token.includes("\n")) lines.push(el("div", { role: "group" }));
    });
    this.node.replaceChildren(...lines.filter((line) => line.firstChild));
    this.#at = -1;
    this.#isKept = false;
  }

  paintSurprisal(tokens) {
    this.#paint((at) => `s${stepOf(tokens[at].surprisal)}`);
    this.#name((at) => `${spoken(tokens[at].token)}, ${tokens[at].surprisal.toFixed(1)} bits`);
  }

  paintUnit(tokens, valueAt) {
    this.#paint((at) => `c${shadeOf(valueAt(at))}`);
    this.#name((at) => `${spoken(tokens[at].token)}, ${valueAt(at).toFixed(2)}`);
  }

  /** Make a character the one that is looked at. */
  look(at) {
    if (at === this.#at || !this.#characters[at]) return;
    this.#characters[this.#at]?.setAttribute("aria-selected", "false");
    this.#at = at;
    this.#characters[at].setAttribute("aria-selected", "true");
    this.node.setAttribute("aria-activedescendant", `character-${at}`);
    this.onLook(at);
  }

  #paint(classOf) {
    this.#characters.forEach((character, at) => (character.className = classOf(at)));
  }

  #name(nameOf) {
    this.#characters.forEach((character, at) => character.setAttribute("aria-label", nameOf(at)));
  }

  #onPointer({ target }, isClick) {
    const at = Number(target.dataset?.at ?? -1);
    if (isClick) {
      this.#isKept = at >= 0;
      this.node.classList.toggle("kept", this.#isKept);
    }
    if (at >= 0 && (isClick || !this.#isKept)) this.look(at);
  }

  #onKey(event) {
    const next = this.#after(event.key);
    if (next === null) return;
    event.preventDefault();
    this.#isKept = true;
    this.look(Math.max(0, Math.min(next, this.#characters.length - 1)));
    this.#characters[this.#at]?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  #after(key) {
    const at = this.#at;
    const line = this.#lineOf[at] ?? 0;
    const first = this.#lineOf.indexOf(line);
    const moves = {
      ArrowLeft: () => at - 1,
      ArrowRight: () => at + 1,
      ArrowUp: () => this.#inLine(line - 1, at - first),
      ArrowDown: () => this.#inLine(line + 1, at - first),
      Home: () => first,
      End: () => this.#lineOf.lastIndexOf(line),
    };
    return moves[key]?.() ?? null;
  }

  #inLine(line, column) {
    const first = this.#lineOf.indexOf(line);
    return first < 0 ? this.#at : Math.min(first + column, this.#lineOf.lastIndexOf(line));
  }
}

/** A newline is seen as a sign of its own, since it has a surprisal as well. */
const shown = (token) => token.replace(/\n/g, "\u21b5").replace(/\t/g, "\u21e5");

const NAMES = { " ": "space", "\n": "new line", "\t": "tab", "<s>": "end of the poem" };

export const spoken = (token) => NAMES[token] ?? token;

/** A token between quotes, or its name. */
export const quoted = (token) => NAMES[token] ?? `\u2018${token}\u2019`;
