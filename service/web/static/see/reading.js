// The text of See, a character an element, painted. One tab stop: arrow keys walk through it, as
// they do in a list; a click keeps the character while the pointer goes elsewhere.

import { el } from "../dom.js";
import { shadeOf, stepOf } from "./inspection.js";

const UNSURE = 6; // characters at the end whose place in the text may still become another

export class Reading {
  #characters = [];
  #lineOf = [];
  #line = null; // the last one
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

  /** Begin with an empty text. */
  show() {
    this.#characters = [];
    this.#lineOf = [];
    this.#line = null;
    this.node.replaceChildren();
    this.node.classList.remove("kept");
    this.#at = -1;
    this.#isKept = false;
  }

  /** The text has grown: `tokens` are all of it. */
  append(tokens) {
    const before = this.#characters.length;
    for (let at = Math.max(0, before - UNSURE); at < before; at++)
      fill(this.#characters[at], tokens[at]);
    for (let at = before; at < tokens.length; at++) {
      if (!this.#line || tokens[at - 1].token.includes("\n")) {
        this.#line = el("div", { role: "group" });
        this.node.append(this.#line);
      }
      const about = { role: "option", id: `character-${at}`, "aria-selected": "false" };
      const character = el("span", { ...about, "data-at": at });
      fill(character, tokens[at]);
      this.#line.append(character);
      this.#characters.push(character);
      this.#lineOf.push(this.node.children.length - 1);
    }
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
    this.keepInSight();
  }

  /** Scrolls to the character that is looked at, where it is not seen. */
  keepInSight() {
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

function fill(node, { token, isUnknown }) {
  node.textContent = shown(token);
  node.toggleAttribute("data-unknown", Boolean(isUnknown));
}

/** A newline is seen as a sign of its own, since it has a surprisal as well. */
const shown = (token) => token.replace(/\n/g, "\u21b5").replace(/\t/g, "\u21e5");

const NAMES = { " ": "space", "\n": "new line", "\t": "tab", "<s>": "end of the poem" };

const spoken = (token) => NAMES[token] ?? token;

/** A token between quotes, or its name. */
export const quoted = (token) => NAMES[token] ?? `\u2018${token}\u2019`;
