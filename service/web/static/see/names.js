// The units of models whose units were named beforehand: what each follows, and how well.

import { getJson } from "../service/client.js";
import { TARGETS } from "./targets.js";

let found = null; // asked for once

/** Named units of the model with a fingerprint: [{layer, unit, target, correlation}]. */
export async function namedUnits(fingerprint) {
  try {
    found ??= await getJson(new URL("units.json", import.meta.url));
  } catch {
    return []; // names are not worth a notice
  }
  return found.fingerprint === fingerprint ? found.units : [];
}

/** The one that follows a target best, whatever its layer; undefined where there is none. */
export async function followerOf(fingerprint, target) {
  const followers = (await namedUnits(fingerprint)).filter((unit) => unit.target === target);
  return followers.sort((a, b) => Math.abs(b.correlation) - Math.abs(a.correlation))[0];
}

/** "follows vowels", "follows the position in the line, upside down". */
export const whatItDoes = ({ target, correlation }) =>
  `follows ${TARGETS[target].label}${correlation < 0 ? ", upside down" : ""}`;
