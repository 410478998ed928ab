// What stands in an address behind "#", which browsers send to no server: a link that reproduces a piece
// (text, settings and seed), or one of this browser's sheets. The view stands there too.

import { FIELDS, readSettings } from "../settings/fields.js";

const MOST = 30000; // characters; browsers and chats cut longer addresses

/** The part of an address behind "#". Raises RangeError where it would be too long. */
export function fragmentOf({ text, model, seed, settings }) {
  const parameters = new URLSearchParams({ text });
  if (model) parameters.set("model", model);
  for (const [name, value] of Object.entries({ ...settings, seed })) {
    if (value === undefined) continue; // a text that needs no seed
    parameters.set(name, Array.isArray(value) ? JSON.stringify(value) : String(value));
  }
  return bounded(parameters, "The text is too long for a link; save it as .json instead.");
}

/** Parameters as the part of an address behind "#". Raises RangeError, which says `tooLong`, where it would
 * be cut. */
export function bounded(parameters, tooLong) {
  const fragment = parameters.toString();
  if (fragment.length > MOST) throw new RangeError(tooLong);
  return fragment;
}

/** What a fragment asks for: {link, sheet}, a piece to be written and the name of a sheet; each may be
 * null. */
export function readFragment(fragment) {
  const parameters = new URLSearchParams(fragment);
  const link = parameters.has("text") ? readLink(parameters) : null;
  return { link, sheet: parameters.get("sheet") };
}

/** `key` tells one link from another. */
function readLink(parameters) {
  const entries = {};
  for (const { name } of FIELDS) {
    if (parameters.has(name)) entries[name] = parsed(parameters.get(name));
  }
  const settings = readSettings(entries);
  const model = parameters.get("model");
  const text = parameters.get("text").replace(/\r\n?/g, "\n");
  return { text, model, settings, key: JSON.stringify([text, model, settings]) };
}

/** The address when that is done: the view stays. */
export function cleanAddress({ pathname, hash }) {
  const view = new URLSearchParams(hash.slice(1)).get("view");
  return view ? `${pathname}#view=${view}` : pathname;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
