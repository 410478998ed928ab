// A link that reproduces a piece: text, settings and seed in the fragment, which browsers do not
// send to any server.

import { FIELDS, readSettings } from "../settings/fields.js";

const MOST = 30000; // characters; browsers and chats cut longer addresses

/** The part of an address behind "#". Raises RangeError where it would be too long. */
export function fragmentOf({ text, model, seed, settings }) {
  const parameters = new URLSearchParams({ text });
  if (model) parameters.set("model", model);
  for (const [name, value] of Object.entries({ ...settings, seed })) {
    if (value === undefined) continue; // a text that needs no seed
    parameters.set(name, name === "stop" ? JSON.stringify(value) : String(value));
  }
  const fragment = parameters.toString();
  if (fragment.length > MOST)
    throw new RangeError("The text is too long for a link; save it as .json instead.");
  return fragment;
}

/** What a fragment holds; null when it is none of ours. */
export function readFragment(fragment) {
  const parameters = new URLSearchParams(fragment);
  if (!parameters.has("text")) return null;
  const entries = {};
  for (const { name } of FIELDS) {
    if (parameters.has(name)) entries[name] = parsed(parameters.get(name));
  }
  return {
    text: parameters.get("text").replace(/\r\n?/g, "\n"),
    model: parameters.get("model"),
    settings: readSettings(entries),
  };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
