// Has the browser keep the page for times without a network, where it can: over HTTPS, or on this machine.

export function keepForOffline() {
  const later = globalThis.requestIdleCallback ?? setTimeout; // after what the page itself needs
  later(() => navigator.serviceWorker?.register("/worker.js").catch(() => {})); // it works without
}
