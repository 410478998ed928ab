// Modules that are fetched when they are first asked for.

const failures = new Map();

/** The module at a path below this folder. One that could not be fetched before is asked for by another
 * address, since a browser may remember that the first one failed. Raises TypeError. */
export async function fetched(path) {
  const failed = failures.get(path) ?? 0;
  try {
    return await import(failed ? `${path}?again=${failed}` : path);
  } catch (error) {
    failures.set(path, failed + 1);
    throw error;
  }
}
