// The strip of alternatives: the ways of one place beside each other, to choose among.

import { byId, el, oncePerFrame } from "../dom.js";
import { cutUpTo } from "../text/characters.js";
import { lineStart, wholeLines } from "../text/lines.js";
import { textOf } from "../text/piece.js";

const MOST_SHOWN = 300; // characters of a long way
const MOST_BEGUN = 80; // characters of a line that one would still read

export class Alternatives {
  #place = null;

  constructor(manuscript, onChoose) {
    this.manuscript = manuscript;
    this.onChoose = onChoose;
    this.draw = oncePerFrame(() => this.#draw());
    manuscript.onChange(this.draw);
    byId("ways").addEventListener("keydown", ({ key }) => this.#pick(key));
  }

  /** The place whose ways are shown; null where there is none, or where it was edited away. */
  get place() {
    return this.#place?.isGone ? null : this.#place;
  }

  /** Show the ways of this place from now on, wherever edits move it. */
  show(place) {
    if (place !== this.#place) {
      byId("ways").replaceChildren();
      this.#place?.leave();
      this.#place = place;
      place.join(this.manuscript);
    }
    this.draw();
  }

  focus() {
    this.#draw();
    byId("ways").querySelector("button")?.focus();
  }

  /** The number on a card chooses it. */
  #pick(key) {
    const index = this.place?.ways.findIndex((way) => way.label === key) ?? -1;
    if (index < 0) return;
    byId("ways").children[index].firstChild.focus();
    this.onChoose(this.place, index);
  }

  #draw() {
    const ways = this.place?.ways ?? [];
    byId("alternatives").hidden = ways.length < 2;
    const list = byId("ways");
    while (list.children.length > ways.length) list.lastChild.remove();
    while (list.children.length < ways.length) list.append(this.#card(list.children.length));
    const standing = this.place?.standing(this.manuscript.text);
    const begun = this.#begun;
    ways.forEach((way, index) =>
      drawCard(list.children[index].firstChild, way, index === standing, begun),
    );
  }

  /** What stands before the place on its line: a way that goes on there is read from the line's beginning. */
  get #begun() {
    if (!this.place) return "";
    const { text } = this.manuscript;
    const begun = text.slice(lineStart(text, this.place.start), this.place.start);
    return begun.length > MOST_BEGUN ? "" : begun;
  }

  #card(index) {
    const choose = () => this.onChoose(this.place, index);
    const [label, begun, text] = ["way-label", "way-begun", ""].map((name) => el("span", { class: name }));
    const body = el("span", { class: "way-text" }, begun, text);
    return el("li", {}, el("button", { type: "button", class: "way", onclick: choose }, label, body));
  }
}

function drawCard(button, way, isStanding, begun) {
  const [label, body] = button.children;
  const [before, text] = body.children;
  setText(label, isStanding ? `${way.label} · in the text` : way.label);
  setText(before, /^\n/.test(way.shown ?? textOf(way.spans)) ? "" : begun);
  setText(text, shownText(way));
  button.setAttribute("aria-pressed", String(isStanding));
}

function shownText(way) {
  const text = (way.shown ?? textOf(way.spans)).replace(/^\n+/, "");
  if (!text) return way.isOver ? "(an empty line)" : "…";
  if (text.length <= MOST_SHOWN) return text;
  const lines = wholeLines(text, MOST_SHOWN);
  return lines ? `${lines}\n…` : `${text.slice(0, cutUpTo(text, MOST_SHOWN))}…`;
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
