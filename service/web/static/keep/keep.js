// What one takes away: files with the text and what made it, and a link.

import { byId } from "../dom.js";
import { fragmentOf } from "./link.js";
import { announce, notify } from "../notices.js";
import { cutUpTo } from "../text/characters.js";
import { signOf } from "../text/piece.js";
import { promptBefore } from "../text/prompt.js";

/** Connects the buttons below the sheet. */
export function offerToKeep(manuscript) {
  byId("save-txt").addEventListener("click", () =>
    download(manuscript, "txt", "text/plain", manuscript.text),
  );
  byId("save-md").addEventListener("click", () =>
    download(manuscript, "md", "text/markdown", asMarkdown(manuscript)),
  );
  byId("save-json").addEventListener("click", () =>
    download(manuscript, "json", "application/json", asJson(manuscript)),
  );
  byId("copy-link").addEventListener("click", () => copyLink(manuscript));
}

function asJson(manuscript) {
  const content = {
    text: manuscript.text,
    spans: manuscript.piece.spans,
    generations: manuscript.standing,
    saved: new Date().toISOString(),
  };
  return JSON.stringify(content, null, 2) + "\n";
}

/** The text with its line breaks, and below it what made it. */
export function asMarkdown(manuscript) {
  const verse = manuscript.text
    .split("\n")
    .map((line) => (line.trim() ? escaped(line) + "\\" : ""));
  const lines = verse.map((line, index) => (verse[index + 1] ? line : line.replace(/\\$/, "")));
  const made = manuscript.standing.map(
    ({ model, seed, settings, poem }) =>
      `- \`${model}\`, seed ${seed}, settings \`${JSON.stringify({ ...settings, ...poem })}\``,
  );
  return (
    lines.join("\n") +
    "\n" +
    (made.length ? `\n---\n\nWritten with Strophe:\n\n${made.join("\n")}\n` : "")
  );
}

/** What Markdown or HTML would take for its own. */
function escaped(line) {
  return line
    .replace(/[\\`*_[\]<>&#|~]/g, "\\$&")
    .replace(/^(\s*)([-+=]|\d+[.)])/, (_, space, sign) => space + sign.replace(/[-+=.)]/, "\\$&"))
    .replace(/^ +/, (spaces) => "\u00a0".repeat(spaces.length));
}

function download(manuscript, ending, type, text) {
  saveAs(`${nameOf(manuscript.text)}.${ending}`, type, text);
}

/** Have the browser save a text as a file. */
export function saveAs(name, type, text) {
  const address = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const anchor = document.createElement("a");
  anchor.href = address;
  anchor.download = name;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

/** A file's name from the first words. */
function nameOf(text) {
  const words = text.slice(0, cutUpTo(text, 60)).match(/[\p{L}\p{N}]+/gu) ?? [];
  return words.slice(0, 4).join("-").toLowerCase() || "poem";
}

/** Shown as well: outside of HTTPS browsers do not let a page write to the clipboard. */
async function copyLink(manuscript) {
  try {
    const shown = byId("link");
    shown.value = `${location.origin}${location.pathname}#${fragmentOf(recipe(manuscript))}`;
    shown.hidden = false;
    shown.select();
    await navigator.clipboard.writeText(shown.value);
    announce("The link is copied");
  } catch (error) {
    if (error instanceof RangeError) notify(error.message);
  }
}

/** What makes the piece again: the text before the last generation, its settings and its seed, as
 * long as it ends the text and both stand as they were. Otherwise no seed does: the text itself. */
function recipe(manuscript) {
  const { piece, text, generations } = manuscript;
  const whole = { text, settings: {} };
  const last = piece.spans[piece.spans.length - 1];
  if (!last?.by) return whole;
  const before = text.slice(0, -last.text.length);
  const { model, seed, settings, sign } = generations[last.by];
  if (sign !== signOf(promptBefore(before, before.length), last.text)) return whole;
  // As long as it stands, wherever it was stopped: a seed's text begins the same at any length.
  const length = [...last.text].length;
  return { text: before, model, seed, settings: { ...settings, max_tokens: length } };
}
