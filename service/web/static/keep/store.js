// Small things that are kept in this browser between visits, such as the settings. The sheets lie in
// IndexedDB.

/** A thing that is kept; null where there is none. */
export function recall(name) {
  try {
    return JSON.parse(localStorage.getItem(`strophe.${name}`));
  } catch {
    return null; // not JSON, or a browser that keeps nothing
  }
}

export function remember(name, value) {
  try {
    localStorage.setItem(`strophe.${name}`, JSON.stringify(value));
  } catch {
    // the sheets' keeper tells of a browser that keeps nothing
  }
}
