// What is kept in this browser between visits: the sheet, what made it, and the settings.

import { readSettings } from "../settings/fields.js";

const PLACE = "strophe.sheet";

/** What was kept, as far as it is sound; null when there is nothing. */
export function restore() {
  try {
    return readSheet(JSON.parse(localStorage.getItem(PLACE)));
  } catch {
    return null; // not JSON, or a browser that keeps nothing
  }
}

function readSheet(kept) {
  if (!kept || !Array.isArray(kept.spans)) return null;
  const isSound = ({ text, by }) => typeof text === "string" && Number.isInteger(by) && by >= 0;
  if (!kept.spans.every(isSound)) return null;
  const generations = {};
  for (const [by, facts] of Object.entries(kept.generations ?? {})) {
    generations[by] = {
      model: String(facts.model),
      seed: facts.seed,
      settings: readSettings(facts.settings ?? {}),
      sign: facts.sign,
      ...(isObject(facts.poem) && { poem: facts.poem }),
    };
  }
  const caret = Number.isInteger(kept.caret) ? kept.caret : null;
  return {
    spans: kept.spans,
    generations,
    settings: readSettings(kept.settings ?? {}),
    model: kept.model,
    caret,
  };
}

const isObject = (value) => typeof value === "object" && value !== null;

const EVERY_MS = 1500;

/** Keep what `snapshot` gives, soon after a call and not at each of many. `onTrouble` is told once. */
export function keeper(snapshot, onTrouble) {
  let timer = null;
  const keep = () => {
    clearTimeout(timer);
    timer = null;
    try {
      localStorage.setItem(PLACE, JSON.stringify(snapshot()));
    } catch {
      onTrouble();
      onTrouble = () => {};
    }
  };
  addEventListener("pagehide", () => timer !== null && keep());
  return () => {
    timer ??= setTimeout(keep, EVERY_MS);
  };
}

/** A small thing that is kept beside the sheet; null where there is none. */
export function recall(name) {
  try {
    return JSON.parse(localStorage.getItem(`strophe.${name}`));
  } catch {
    return null;
  }
}

export function remember(name, value) {
  try {
    localStorage.setItem(`strophe.${name}`, JSON.stringify(value));
  } catch {
    // the sheet's keeper tells of a browser that keeps nothing
  }
}
