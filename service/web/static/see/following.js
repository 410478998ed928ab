// Which unit of a layer follows a target best, and how well it does where it was not chosen by.
// Pure data, no document.

import { lines, TARGETS } from "./targets.js";

/**
 * The unit that follows a target best, {unit, correlation, isHeldOut}. It is chosen by every other
 * line, and its correlation is that of the lines between; where the target does not change in either, both
 * are of all lines, and isHeldOut is false. Null where there is nothing to follow.
 */
export function bestFollower(inspection, target) {
  const tokens = inspection.tokens.map(({ read }) => read);
  const series = TARGETS[target].series(tokens);
  const places = series.flatMap((value, at) => (value === null ? [] : [at]));
  const isOdd = new Uint8Array(tokens.length);
  lines(tokens).forEach(({ first, last }, line) => isOdd.fill(line % 2, first, last));
  const halves = [0, 1].map((half) => places.filter((at) => isOdd[at] === half));
  const isHeldOut = halves.every((half) => varies(series, half));
  const [by, over] = isHeldOut ? halves : [places, places];
  const best = { unit: -1, correlation: 0 };
  for (let unit = 0; unit < inspection.numUnits; unit++) {
    const correlation = correlationOf(inspection, series, unit, by);
    if (Math.abs(correlation) > Math.abs(best.correlation))
      Object.assign(best, { unit, correlation });
  }
  if (best.unit < 0) return null;
  return {
    unit: best.unit,
    correlation: correlationOf(inspection, series, best.unit, over),
    isHeldOut,
  };
}

const varies = (series, places) => places.some((at) => series[at] !== series[places[0]]);

/** Pearson's correlation of a unit with a series, over some places. */
function correlationOf(inspection, series, unit, places) {
  const kind = inspection.richest;
  let [x, y, xx, yy, xy] = [0, 0, 0, 0, 0];
  for (const at of places) {
    const [a, b] = [series[at], inspection.value(kind, at, unit)];
    x += a;
    y += b;
    xx += a * a;
    yy += b * b;
    xy += a * b;
  }
  const n = places.length;
  const spread = Math.sqrt((n * xx - x * x) * (n * yy - y * y));
  return spread > 0 ? (n * xy - x * y) / spread : 0;
}

/**
 * The units of a layer in the order of what they do: named ones first, in their order, then the others
 * from slow to quick, by how alike a unit's value is from one character to the next.
 */
export function orderByDoing(inspection, named) {
  const first = named.map(({ unit }) => unit).filter((unit) => unit < inspection.numUnits);
  const rest = Array.from({ length: inspection.numUnits }, (_, unit) => unit).filter(
    (unit) => !first.includes(unit),
  );
  const slowness = new Map(rest.map((unit) => [unit, persistence(inspection, unit)]));
  rest.sort((one, other) => slowness.get(other) - slowness.get(one) || one - other);
  return [...first, ...rest];
}

/** Correlation of a unit's value with that at the next character. */
function persistence(inspection, unit) {
  const kind = inspection.richest;
  const values = Array.from({ length: inspection.length }, (_, at) =>
    inspection.value(kind, at, unit),
  );
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  let [together, alone] = [0, 0];
  values.forEach((value, at) => {
    alone += (value - mean) ** 2;
    if (at > 0) together += (value - mean) * (values[at - 1] - mean);
  });
  return alone > 0 ? together / alone : 1; // one that never moves is the slowest
}
