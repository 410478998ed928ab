// What is asked of the service for a text, and what is known of a generation afterwards. Pure data,
// no document.

import { essential } from "../settings/fields.js";

export const isPoem = (body) => "form" in body || "spec" in body;

/** The body of a request, less its prompt. `seed` is wanted unless the settings name one, `isAgain`
 * draws another; `ends` are fields that say where it ends, in place of the settings'. Raises
 * RangeError. */
export function bodyOf(all, model, { isAgain = false, ends = {}, poem, seed = null }) {
  const { seed: wanted, ...settings } = all;
  const body = { model, ...settings, ...ends };
  body.seed = (isAgain ? null : (seed ?? wanted)) ?? undefined; // drawn by the service
  return poem ? poemBody(body, poem) : body;
}

/** Of the settings a poem knows the model, the temperature and the seed. */
const poemBody = ({ model, temperature, seed }, poem) => ({ model, temperature, seed, ...poem });

/** What made a generation, to be kept with the text. */
export function factsOf({ model, seed }, { prompt, opening, model: _, seed: __, ...asked }) {
  const { temperature, ...poem } = asked;
  return isPoem(asked)
    ? { model, seed, settings: essential({ temperature }), poem }
    : { model, seed, settings: essential(asked) };
}
