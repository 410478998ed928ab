// Storage that is full or forbidden, in words, and a request to keep what is there.

export const NO_STORAGE =
  "This browser keeps nothing for this page, as in a private window: what you write is gone when you " +
  "leave. Save what you want to keep as a file.";

/** What to tell of an error of the database. */
export function whyNotStored(error) {
  const why =
    error.name === "QuotaExceededError"
      ? "This browser has no room left for your sheets."
      : "This browser does not store your sheets now.";
  return `${why} What you write is only in this tab: save it as a file before you leave.`;
}

/** Ask the browser not to clear away what is stored, where it decides that without a prompt. */
export async function askToLast() {
  const { storage, permissions, userAgentData } = navigator;
  if (!storage?.persist || (await storage.persisted())) return;
  const isQuiet = userAgentData?.brands.some(({ brand }) => brand === "Chromium");
  const name = "persistent-storage";
  const asked = isQuiet ? null : await permissions?.query({ name }).catch(() => null);
  if (isQuiet || asked?.state === "granted") await storage.persist();
}
