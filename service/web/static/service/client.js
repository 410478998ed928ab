// Requests to the service that this page came from: the key, errors as they are told, and patience.

import { refusal } from "./refusals.js";

const KEY = "strophe.key"; // for this tab only; never part of an address

/** What the service, or the way to it, has against a request. */
export class ServiceError extends Error {
  constructor(message, { status = 0, code = null, param = null, retryAfter = null } = {}) {
    super(message);
    Object.assign(this, { status, code, param, retryAfter });
  }

  /** Whether the same request may succeed a little later. */
  get isPassing() {
    return this.status === 0 || this.status === 429 || this.status === 503;
  }
}

let askForKey = async () => null;
let onAdmission = () => {};

/** Who is asked for a key: a function of whether one was refused, which gives a key or null; and who is
 * told that a key was good. */
export function askForKeysWith(ask, admitted) {
  askForKey = ask;
  onAdmission = admitted;
}

/** The answer to a request; a key is asked for where one is needed, unless `isQuiet`. Raises ServiceError. */
export async function send(path, { body, accept = "application/json", signal, isQuiet } = {}) {
  for (let isKeyNew = false; ; isKeyNew = true) {
    const response = await attempt(path, body, accept, signal);
    if (response.ok && isKeyNew) onAdmission();
    if (response.ok) return response;
    const error = await errorOf(response);
    if (error.status !== 401 || isQuiet) throw error;
    const key = await askForKey(sessionStorage.getItem(KEY) !== null);
    if (key === null) throw error;
    sessionStorage.setItem(KEY, key);
  }
}

export const getJson = async (path, options) => (await send(path, options)).json();

async function attempt(path, body, accept, signal) {
  const headers = { Accept: accept };
  const key = sessionStorage.getItem(KEY);
  if (key) headers["X-Api-Key"] = key;
  const method = body === undefined ? "GET" : "POST";
  if (body !== undefined) headers["Content-Type"] = "application/json";
  try {
    return await fetch(path, { method, headers, body: body && JSON.stringify(body), signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ServiceError(
      navigator.onLine
        ? "the service cannot be reached"
        : "this needs the service, and there is no network now",
    );
  }
}

async function errorOf(response) {
  const { status } = response;
  const seconds = Number(response.headers.get("Retry-After"));
  const retryAfter = seconds > 0 ? seconds : null;
  try {
    const { message, code, param } = (await response.json()).error;
    return new ServiceError(refusal(status, code, message), { status, code, param, retryAfter });
  } catch {
    return new ServiceError(refusal(status), { status, retryAfter }); // of something on the way
  }
}

/** Resolves after so long; rejects at once when aborted. */
export function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(new DOMException("stopped", "AbortError"));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, seconds * 1000);
    if (signal?.aborted) abort();
    else signal?.addEventListener("abort", abort, { once: true });
  });
}

/** Resolves when the service can write again. */
export async function untilReady(signal) {
  for (let seconds = 1; ; seconds = Math.min(seconds * 1.5, 10)) {
    await pause(seconds, signal);
    try {
      const response = await attempt("/readyz", undefined, "application/json", signal);
      if (response.ok || response.status === 401) return;
    } catch (error) {
      if (error.name === "AbortError") throw error;
    }
  }
}
