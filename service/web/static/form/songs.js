// A songwriter's tools: section labels, a chorus once more, and another verse like the one at hand.

import { byId, el, isUsable } from "../dom.js";
import { announce, notify } from "../notices.js";
import { KINDS, labelFor, sectionAt, sectionsOf } from "../text/sections.js";
import { ME } from "../text/piece.js";
import { linesLike } from "./arrangement.js";
import { linesIn, placeBehind, stanzaAt } from "./poem.js";
import { analysisOf } from "./readings.js";

const REFRAINS = ["chorus", "refrain", "hook"];

export class Songs {
  /** `writeBehind` writes what a request asks for behind a position; `told` tells errors. */
  constructor({ manuscript, sheet, models, write, writeBehind, told }) {
    Object.assign(this, { manuscript, sheet, models, write, writeBehind });
    byId("section").replaceChildren(...KINDS.map((kind) => el("option", { value: kind }, kind)));
    const buttons = {
      "section-insert": () => this.insertLabel(byId("section").value),
      "chorus-again": () => this.chorusAgain(),
      "form-another": () => told(() => this.another()),
    };
    for (const [id, act] of Object.entries(buttons))
      byId(id).addEventListener("click", (event) => isUsable(event.currentTarget) && act());
  }

  /** Name the stanza of the caret, or what is to be written there. */
  insertLabel(kind) {
    const { text } = this.manuscript;
    const { end: caret } = this.sheet.selection;
    const stanza = stanzaAt(text, caret);
    const isNamed = stanza && sectionsOf(text).some(({ body }) => body.start === stanza[0].start);
    if (stanza && !isNamed) {
      const { start } = stanza[0];
      const label = `${labelFor(text, kind, start)}\n`;
      this.#insert(start, [{ text: label, by: ME }], caret + label.length);
      return;
    }
    const { at, lead, tail } = placeBehind(text, caret);
    const label = `${lead}${labelFor(text, kind, at)}\n`;
    this.#insert(at, [{ text: label + tail, by: ME }], at + label.length);
  }

  /** The first chorus's words at the caret, in the ink of those who wrote them. */
  chorusAgain() {
    const { text, piece } = this.manuscript;
    const sections = sectionsOf(text).filter(({ body }) => body.text);
    const chorus = REFRAINS.map((kind) => sections.find((each) => each.kind === kind)).find(
      Boolean,
    );
    if (!chorus) return notify("There is no chorus yet: name one by the label [Chorus].");
    const { end: caret } = this.sheet.selection;
    const here = sectionAt(text, caret);
    const isNamed = here?.kind === chorus.kind && !here.body.text;
    const { at, lead, tail } = placeBehind(text, caret);
    const words = piece.slice(isNamed ? chorus.body.start : chorus.start, chorus.body.end);
    const spans = [{ text: lead, by: ME }, ...words, { text: tail, by: ME }];
    const end = at + lead.length + chorus.body.end - (isNamed ? chorus.body.start : chorus.start);
    this.#insert(at, spans, end);
    announce("The chorus stands there again");
  }

  /** Another section with as many lines, the same syllables and the same scheme as that at the
   * caret; where it is still empty, as the last one of its kind. Raises ServiceError. */
  async another() {
    const { text } = this.manuscript;
    const { end: caret } = this.sheet.selection;
    const model = this.#modelFor(text, caret);
    if (!model) return notify("Put the caret into the verse that another one should be like.");
    const { lines } = await analysisOf([model.lines], this.models.chosen);
    const request = { spec: { stanzas: [linesLike(lines)] } };
    const end = model.isBefore ? caret : model.end;
    const labels =
      model.section && !model.isBefore ? [labelFor(text, model.section.kind, end + 1)] : [];
    await this.writeBehind(end, request, labels);
  }

  /** {lines, end, section, isBefore} of what another one should be like. */
  #modelFor(text, caret) {
    const here = sectionAt(text, caret);
    if (here && !here.body.text) {
      const isLike = ({ kind, start, body }) =>
        kind === here.kind && start < here.start && body.text;
      const section = sectionsOf(text).findLast(isLike);
      return section && { lines: linesIn(text, section.body), section, isBefore: true };
    }
    if (here && caret <= here.body.end)
      return { lines: linesIn(text, here.body), end: here.body.end, section: here };
    const stanza = stanzaAt(text, caret);
    return stanza && { lines: stanza, end: stanza.at(-1).end, section: null };
  }

  #insert(at, spans, caret) {
    this.manuscript.change(at, at, spans);
    this.sheet.select(caret);
    this.sheet.area.focus();
  }
}
