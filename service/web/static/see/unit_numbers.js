// Every number of one unit's six equations, character by character. Pure data, no document.

const SUMS = ["forget", "input", "candidate", "output"]; // each squashes a sum of three terms
const TERMS = ["value", "from_below", "from_before"];

export class UnitNumbers {
  #series = {};

  constructor({ cell_before: cellBefore }) {
    Object.assign(this, { cellBefore, bias: {} });
    for (const name of SUMS) this.#series[name] = { value: [], from_below: [], from_before: [] };
    Object.assign(this.#series, { cell: [], hidden: [] });
  }

  get length() {
    return this.#series.cell.length;
  }

  add(piece) {
    for (const name of SUMS) {
      this.bias[name] = piece[name].bias;
      for (const term of TERMS) this.#series[name][term].push(...floats(piece[name][term]));
    }
    for (const name of ["cell", "hidden"]) this.#series[name].push(...floats(piece[name]));
  }

  /** A gate's values, the candidate's, or those of "cell" or "hidden", by character. */
  series(name) {
    const found = this.#series[name];
    return SUMS.includes(name) ? found.value : found;
  }

  /** All numbers of the step that read a character. */
  at(place) {
    const sums = SUMS.map((name) => {
      const { value, from_below, from_before } = this.#series[name];
      const [below, before] = [from_below[place], from_before[place]];
      return [name, { value: value[place], below, before, bias: this.bias[name] }];
    });
    const { cell, hidden } = this.#series;
    return {
      ...Object.fromEntries(sums),
      cellBefore: place > 0 ? cell[place - 1] : this.cellBefore,
      cell: cell[place],
      hidden: hidden[place],
    };
  }
}

/** Numbers of base64 of float32, little-endian, whatever the machine is. */
function floats(base64) {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Array.from({ length: bytes.length / 4 }, (_, at) => view.getFloat32(at * 4, true));
}
