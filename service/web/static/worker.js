// Keeps the page for times without a network, so that it opens with all its sheets. Served as /worker.js
// with the lines that say what there is to keep: VERSION, and PARTS, the paths of the version's files.
// Answers of the service are never kept.

/* global PARTS, VERSION */

const KEPT = `strophe-${VERSION}`;
const PATIENCE_MS = 4000; // of who opens the page on a line that hardly works

addEventListener("install", (event) => event.waitUntil(keep().then(() => skipWaiting())));

addEventListener("activate", (event) => event.waitUntil(forget().then(() => clients.claim())));

addEventListener("fetch", (event) => {
  const { method, mode, url } = event.request;
  const { origin, pathname } = new URL(url);
  if (method !== "GET" || origin !== location.origin) return;
  if (mode === "navigate" && pathname === "/") event.respondWith(page(event.request));
  else if (pathname.startsWith("/static/")) event.respondWith(part(event.request));
});

/** Keep all of one version, or nothing: the page itself might be of a later one already. */
async function keep() {
  const page = await fetch("/", { cache: "no-cache" });
  if (!page.ok || !(await page.clone().text()).includes(`"/static/${VERSION}/`))
    throw new Error("the service has another version by now");
  const cache = await caches.open(KEPT);
  await cache.addAll(PARTS);
  await cache.put("/", page);
}

/** The version before stays for tabs that are open with it. */
async function forget() {
  const names = (await caches.keys()).filter((name) => name.startsWith("strophe-"));
  const old = names.filter((name) => name !== KEPT).slice(0, -1);
  await Promise.all(old.map((name) => caches.delete(name)));
}

/** The page from the service where it answers, so that nobody sees an old one. */
async function page(request) {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const ask = () => fetch(request, { signal });
  const fresh = await ask()
    .catch(ask) // a connection that was kept open may be dead
    .catch(() => null);
  if (fresh && fresh.status < 500) return fresh;
  const cache = await caches.open(KEPT);
  return (await cache.match("/")) ?? fresh ?? Response.error();
}

/** A file as it is kept; paths have the version in them, so no page gets parts of two. */
async function part(request) {
  const kept = await caches.match(request, { ignoreSearch: true, ignoreVary: true });
  return kept ?? fetch(request);
}
