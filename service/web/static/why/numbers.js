// The study's numbers, and how they are told. Pure data, no document.

export const CELLS = ["rnn", "gru", "lstm"];

/** A curve of the gradient by steps back: "untrained" or "trained", a cell, "h" or "c". */
export function reach(study, stage, cell, state = "h") {
  return study.gradients.stages[stage].find(
    (curve) => curve.cell === cell && curve.state === state,
  );
}

/** What is left after so many steps where each leaves a share. */
export const left = (share, steps) => share ** steps;

export const sigmoid = (value) => 1 / (1 + Math.exp(-value));

/** A share in words: "4.3 %", "one part in 480,000"; "nothing" below what a plot shows. */
export function part(share) {
  if (share < 1e-12) return "nothing that counts";
  if (share >= 0.0095) return `${trimmed((share * 100).toPrecision(2))} %`;
  const parts = Number((1 / share).toPrecision(2));
  return parts < 1e6
    ? `one part in ${new Intl.NumberFormat("en").format(parts)}`
    : `one part in ${inWords(parts)}`;
}

const NAMES = [
  [1e12, "trillion"],
  [1e9, "billion"],
  [1e6, "million"],
];

function inWords(parts) {
  const [size, name] = NAMES.find(([each]) => parts >= each);
  return `${trimmed((parts / size).toPrecision(2))} ${name}`;
}

/** "1e+2" as people write it. */
const trimmed = (text) => String(Number(text));

/** The greatest gap up to which a cell is right at least nine times of ten, or null. */
export function goodUntil({ gaps, cells }, cell) {
  const first = cells[cell].mean.findIndex((mean) => mean < 0.9);
  const count = first < 0 ? gaps.length : first;
  return count ? gaps[count - 1] : null;
}

/** What a cell gains, in nats, from all that lies further back than eight characters. */
export function gained({ positions, cells }, cell) {
  const nats = cells[cell];
  return nats[positions.findIndex(([first]) => first === 8)] - nats[nats.length - 1];
}

/** Lines of a poem as ranges of its characters, each with its line end. */
export function poemLines(pieces) {
  const found = [];
  let first = 0;
  pieces.forEach((piece, at) => {
    const ends = piece === "\n" && pieces[at + 1] !== "\n";
    if (!ends && at < pieces.length - 1) return;
    found.push({ first, last: at + 1 });
    first = at + 1;
  });
  return found;
}
