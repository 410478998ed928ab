// What was not stored yet when the page was left. A page that is left may not end what it has begun with
// IndexedDB, while localStorage is written at once; the next start takes it from there.

import { isObject, readContent } from "./record.js";

const PREFIX = "strophe.unsaved.";
const MOST = 2_000_000; // characters: localStorage has room for some five million

/** Note a sheet for this tab. `head` has the revision on which the content rests. */
export function note(tab, head, content) {
  try {
    const whole = JSON.stringify({ head, content });
    const text = whole.length > MOST ? JSON.stringify({ head, content: bare(content) }) : whole;
    localStorage.setItem(PREFIX + tab, text);
  } catch {
    // full or forbidden, which the sheet's keeper has told
  }
}

/** A content without the steps that can be undone. */
const bare = ({ history: _, ...content }) => content;

export function strike(tab) {
  try {
    localStorage.removeItem(PREFIX + tab);
  } catch {
    // nothing is there
  }
}

/** What all tabs have noted: {tab, head, content}. */
export function notes() {
  try {
    const keys = Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));
    return keys.map((key) => read(key.slice(PREFIX.length))).filter(Boolean);
  } catch {
    return [];
  }
}

function read(tab) {
  try {
    const { head, content } = JSON.parse(localStorage.getItem(PREFIX + tab));
    const sound = readContent(content);
    return sound && isObject(head) ? { tab, head, content: sound } : null;
  } catch {
    return null;
  }
}
