// Where each token begins in a text. The model writes characters that it does not know as others
// (a dash as two, an accent without), so tokens may be longer or shorter than what they stand for.
// Pure data, no document.

export const UNKNOWN = "<unk>"; // what a token says that stands for such a character
const LONGEST = 6; // characters that one is written as
const SURE = 4; // characters that agree again

/** Where each token begins: positions in the text, in UTF-16 units. */
export function starts(tokens, text) {
  const read = tokens.map(({ token }) => (token === UNKNOWN ? "\ufffd" : token));
  const joined = read.join("");
  const places = placesOf(joined, text);
  let at = 0;
  return read.map((token) => (at += token.length) && places[at - token.length]);
}

/** For each unit of what was read, its place in the text. */
function placesOf(read, text) {
  const places = [];
  let at = 0;
  while (places.length < read.length) {
    if (read[places.length] === text[at]) {
      places.push(at);
      at++;
    } else {
      const width = at < text.length ? String.fromCodePoint(text.codePointAt(at)).length : 0;
      const written = writtenAs(read, places.length, text, at + width);
      for (let each = 0; each < written; each++) places.push(at);
      at += width;
    }
  }
  return places;
}

/** How many units of `read` stand for the one character before `next`. */
function writtenAs(read, from, text, next) {
  const after = text.slice(next, next + SURE);
  for (let length = 0; length <= LONGEST; length++) {
    if (read.startsWith(after, from + length)) return length;
  }
  return 1;
}
