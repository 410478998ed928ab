// Modules and their styles that are fetched when they are first asked for.

import { el } from "./dom.js";

const failures = new Map();
const sheets = new Map(); // promises

/** The module at a path below this folder, with the styles beside it of the same name or of `styles`. One
 * that could not be fetched before is asked for by another address, since a browser may remember that
 * the first one failed. Raises TypeError. */
export async function fetched(path, styles = path.replace(/\.js$/, ".css")) {
  const failed = failures.get(path) ?? 0;
  const again = failed ? `?again=${failed}` : "";
  try {
    if (!sheets.has(styles)) sheets.set(styles, styled(styles, again));
    const [module] = await Promise.all([import(path + again), sheets.get(styles)]);
    return module;
  } catch (error) {
    failures.set(path, failed + 1);
    throw error;
  }
}

/** Styles put before those for paper and for colours of the reader's own, which have the last word. */
function styled(path, again) {
  return new Promise((resolve, reject) => {
    const link = el("link", {
      rel: "stylesheet",
      href: new URL(path + again, import.meta.url),
      onload: resolve,
      onerror: () => {
        link.remove();
        sheets.delete(path);
        reject(new TypeError(`${path} cannot be fetched`));
      },
    });
    document.querySelector("link[media]").before(link);
  });
}
