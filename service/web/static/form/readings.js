// How stanzas are said, by their text: each is asked of the service once, those that are wanted
// first in front, some in one request. No document.
// A reading is {lines: [{syllables, isSure, rhyme}], copied: [{start, end, title}]}, positions in
// the stanza's text as it is on the sheet.

import { getJson, pause, ServiceError } from "../service/client.js";
import { sentText } from "./poem.js";

const MOST = 3000; // characters in one request, so that the first answers come soon
const MOST_STANZA = 18000; // the service takes 20,000
const MOST_KEPT = 3000; // readings
const WAIT_S = 2; // where the service says nothing else

/** What POST /v1/analyze says of stanzas, lists of lines, each by itself. Raises ServiceError. */
export const analysisOf = (stanzas, model) =>
  getJson("/v1/analyze", { body: { text: sentText(stanzas), by_stanza: true, model } });

export class Readings {
  #known = new Map(); // by the stanza's text
  #wanted = [];
  #isAsking = false;

  /** `onAnswer` is called after each answer, `onFault` with what the service has against them. */
  constructor({ getModel, onAnswer, onFault }) {
    Object.assign(this, { getModel, onAnswer, onFault });
  }

  /** What is known of a stanza, a list of lines; null before its answer. */
  of(stanza) {
    return this.#known.get(keyOf(stanza)) ?? null;
  }

  forget() {
    this.#known.clear();
    this.#wanted = [];
  }

  /** Ask for these stanzas instead of those that were wanted before. */
  async want(stanzas) {
    this.#wanted = stanzas;
    if (this.#isAsking) return;
    this.#isAsking = true;
    try {
      for (let batch; (batch = this.#nextBatch()).length;) await this.#ask(batch);
    } finally {
      this.#isAsking = false;
    }
  }

  #nextBatch() {
    const batch = [];
    const keys = new Set();
    let size = 0;
    for (const stanza of this.#wanted) {
      const key = keyOf(stanza);
      if (this.#known.has(key) || keys.has(key)) continue;
      size += key.length + 2;
      if (batch.length && size > MOST) break;
      batch.push(stanza);
      keys.add(key);
    }
    return batch;
  }

  async #ask(batch) {
    const model = this.getModel();
    try {
      const answer = await analysisOf(batch, model);
      if (model !== this.getModel()) return; // its copies are another's
      for (const [stanza, reading] of readingsOf(batch, answer)) this.#keep(keyOf(stanza), reading);
      this.onAnswer();
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      if (error.isPassing) return pause(error.retryAfter ?? WAIT_S);
      for (const stanza of batch) this.#keep(keyOf(stanza), { lines: [], copied: [] });
      this.onFault(error);
    }
  }

  #keep(key, reading) {
    this.#known.set(key, reading);
    if (this.#known.size > MOST_KEPT) this.#known.delete(this.#known.keys().next().value);
  }
}

const keyOf = (stanza) => stanza.map((line) => line.text).join("\n");

/** A stanza that is too long for one request in parts; one with such a line is left out. */
export function askable(stanza) {
  if (keyOf(stanza).length <= MOST_STANZA) return [stanza];
  const parts = [[]];
  let size = 0;
  for (const line of stanza) {
    size += line.text.length + 1;
    if (size > MOST_STANZA) [size] = [line.text.length, parts.push([])];
    if (line.text.length < MOST_STANZA) parts[parts.length - 1].push(line);
  }
  return parts.filter((part) => part.length);
}

/** The answer's lines and copies by the stanzas that were asked for. */
function readingsOf(batch, answer) {
  const runs = (answer.copied?.flagged ?? []).map((run) => placed(run, sentText(batch)));
  let [row, at] = [0, 0];
  return batch.map((stanza) => {
    const said = answer.lines.slice(row, (row += stanza.length));
    const length = keyOf(stanza).length;
    const copied = runs
      .map((run) => ({ ...run, start: run.start - at, end: run.end - at }))
      .filter((run) => run.end > 0 && run.start < length)
      .map((run) => ({ ...run, start: Math.max(run.start, 0), end: Math.min(run.end, length) }));
    at += length + 2;
    return [stanza, { lines: said.map(facts), copied }];
  });
}

/** A run with its places in UTF-16 units, as those of a sheet are. */
function placed({ text, start, title, file }, sent) {
  const isPlain = !/[\ud800-\udfff]/.test(sent);
  const from = isPlain ? start : [...sent].slice(0, start).join("").length;
  return { start: from, end: from + text.length, text, title: title ?? file };
}

const facts = ({ syllables, rhyme, checks }) => ({
  syllables: syllables[0] ?? null,
  isSure: checks.every((check) => check.kind !== "words" || check.ok),
  rhyme: rhyme === "-" ? "" : (rhyme ?? ""),
});
