// Files as sheets: text, Markdown and .json as they are saved here, and all sheets in one file. Pure data,
// no document. What cannot be read is told in a FileError, a sentence's end for people: "poem.doc is ...".

import { isObject, readContent } from "../sheets/record.js";
import { ME } from "../text/piece.js";

const MOST = { text: 2_000_000, json: 100_000_000 }; // bytes

export class FileError extends Error {}

/** The sheets of a file, [{title, content, id}]; an `id` where it is one of several in a file. */
export function readFile(name, bytes) {
  const ending = endingOf(name);
  const most = mostOf(name);
  if (bytes.length > most)
    throw new FileError(`is longer than the ${most / 1e6} MB that are read here`);
  const text = decoded(bytes).replace(/\r\n?/g, "\n");
  if (ending === "json") return readJson(text);
  if (!text.trim()) throw new FileError("is empty");
  const isMarkdown = ending === "md" || ending === "markdown";
  return [{ title: null, content: plain(isMarkdown ? fromMarkdown(text) : text) }];
}

const endingOf = (name) => /\.(\w+)$/.exec(name)?.[1].toLowerCase();

/** How many bytes of a file are read, by its name. */
export const mostOf = (name) => (endingOf(name) === "json" ? MOST.json : MOST.text);

const plain = (text) => ({ spans: text ? [{ text, by: ME }] : [], generations: {} });

/** Text in UTF-8, or in UTF-16 with its mark. Raises FileError. */
function decoded(bytes) {
  const [first, second] = bytes;
  const isWide = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  const encoding = isWide ? (first === 0xff ? "utf-16le" : "utf-16be") : "utf-8";
  let text = "";
  try {
    text = new TextDecoder(encoding, { fatal: true }).decode(bytes); // without the mark
  } catch {
    const isBinary = bytes.subarray(0, 4000).some((byte) => byte < 9);
    throw new FileError(
      isBinary ? "is no text" : "is in another encoding than UTF-8; save it as UTF-8 first",
    );
  }
  // eslint-disable-next-line no-control-regex
  if (/[\0-\x08\x0e-\x1a\x1c-\x1f]/.test(text)) throw new FileError("is no text");
  return text;
}

/** A saved text again: escapes and hard line ends undone, without what made it. */
export function fromMarkdown(text) {
  const verse = text.replace(/\n---\n\nWritten with Strophe:\n\n(- .*\n)+$/, "");
  return verse
    .replace(/\n$/, "")
    .split("\n")
    .map((line) => unescaped(line.replace(/(?<!\\)((?:\\\\)*)\\$/, "$1")))
    .join("\n");
}

const unescaped = (line) =>
  line
    .replace(/^\u00a0+/, (spaces) => " ".repeat(spaces.length))
    .replace(/\\([!-/:-@[-`{-~])/g, "$1");

function readJson(text) {
  let saved;
  try {
    saved = JSON.parse(text);
  } catch {
    throw new FileError("is broken: it is no JSON");
  }
  const isMany = isObject(saved) && Array.isArray(saved.sheets);
  const sheets = (isMany ? saved.sheets : [saved]).map(readSheet);
  if (sheets.includes(null))
    throw new FileError(
      isMany ? "is broken: it holds what is no sheet" : "is no sheet of this page",
    );
  if (!sheets.length) throw new FileError("holds no sheet");
  return isMany ? sheets : sheets.map(({ title, content }) => ({ title, content }));
}

function readSheet(saved) {
  if (!isObject(saved)) return null;
  const { id, title, spans, generations } = saved;
  const numbered = Array.isArray(generations)
    ? Object.fromEntries(generations.filter(isObject).map(({ by, ...facts }) => [by, facts]))
    : generations;
  const content = readContent({ spans, generations: numbered });
  if (!content) return null;
  return {
    id: typeof id === "string" ? id : null,
    title: typeof title === "string" ? title : null,
    content,
  };
}
