// What a unit may follow: for each target a number (or null) for every token of a text, true once the
// token is read; null leaves the place out. Pure data, no document.
// The script that names the units of a model has the same ones; a test holds the two equal.

const OPENING_BEFORE = /[\s([{\u2014-]/; // what stands before a quote that opens

const isLetter = (token) => /^\p{L}$/u.test(token);
const isVowel = (token) => /^[aeiou]$/i.test(token);

/** How many characters have been read of the line. */
function column(tokens) {
  let at = 0;
  return tokens.map((token) => (token.includes("\n") ? (at = 0) : ++at));
}

/** 1 inside of double quotes, else 0. A straight one opens where nothing stands before it. */
function quoted(tokens) {
  let isInside = 0;
  let before = "\n";
  return tokens.map((token) => {
    for (const character of token) {
      if (character === "\u201c") isInside = 1;
      else if (character === "\u201d") isInside = 0;
      else if (character === '"') isInside = OPENING_BEFORE.test(before) ? 1 : 0;
      before = character;
    }
    return isInside;
  });
}

function bracketed(tokens) {
  let isInside = 0;
  return tokens.map((token) => {
    for (const character of token) {
      if ("([".includes(character)) isInside = 1;
      else if (")]".includes(character)) isInside = 0;
    }
    return isInside;
  });
}

const gap = (tokens) => tokens.map((token) => (isLetter(token) ? 0 : 1));

/** Of letters: which one of its word, from 1. */
function letter(tokens) {
  let count = 0;
  return tokens.map((token) => (isLetter(token) ? ++count : (count = 0) || null));
}

const vowel = (tokens) => tokens.map((token) => (isLetter(token) ? Number(isVowel(token)) : null));

const nextVowel = (tokens) => [...vowel(tokens).slice(1), null];

/** Of letters: 1 in a word that begins with a capital, else 0. */
function capital(tokens) {
  let isCapital = 0;
  let isWord = false;
  return tokens.map((token) => {
    const here = isLetter(token);
    if (here && !isWord) isCapital = Number(token !== token.toLowerCase());
    isWord = here || (isWord && (token === "'" || token === "\u2019"));
    return here ? isCapital : null;
  });
}

/** 1 from the begin of a line's last word to the line's end, where rhymes stand, else 0. */
function lastWord(tokens) {
  const found = tokens.map(() => 0);
  for (const { first, last } of lines(tokens)) {
    let at = last - 1;
    while (at >= first && !isLetter(tokens[at])) at--;
    while (at >= first && tokens[at].trim()) at--;
    found.fill(1, at + 1, last);
  }
  return found;
}

/** Which line of its stanza, from 1; 0 on empty lines. */
function stanzaLine(tokens) {
  const found = tokens.map(() => 0);
  let count = 0;
  for (const { first, last } of lines(tokens)) {
    const isEmpty = tokens.slice(first, last).join("").trim() === "";
    count = isEmpty ? 0 : count + 1;
    found.fill(count, first, last);
  }
  return found;
}

/** Where each line begins, and where it ends behind its newline. */
export function lines(tokens) {
  const found = [];
  let first = 0;
  tokens.forEach((token, at) => {
    if (!token.includes("\n") && at < tokens.length - 1) return;
    found.push({ first, last: at + 1 });
    first = at + 1;
  });
  return found;
}

/** By name; `label` is what a unit follows, in words. */
export const TARGETS = {
  column: { label: "the position in the line", series: column },
  quoted: { label: "quotation", series: quoted },
  bracketed: { label: "being inside of brackets", series: bracketed },
  gap: { label: "the gaps between words", series: gap },
  letter: { label: "which letter of its word it is", series: letter },
  vowel: { label: "vowels", series: vowel },
  next_vowel: { label: "whether a vowel comes next", series: nextVowel },
  capital: { label: "words with a capital", series: capital },
  last_word: { label: "the last word of the line", series: lastWord },
  stanza_line: { label: "which line of the stanza it is", series: stanzaLine },
};
