// One request for text, from the first try to its end, as a sequence of plain objects:
//   {kind: "retrying", seconds, why}   the service is full or away; tried again after that
//   {kind: "began", id, model, seed, prompt}
//   {kind: "waiting", ahead}           in the queue
//   {kind: "text", index, text}
//   {kind: "ended", index, reason, stop}
//   {kind: "done"}
// Knows nothing of where the text goes.

import { events } from "./events.js";
import { pause, send, ServiceError } from "./client.js";

const MOST_TRIES = 12;

/** A stream that ended before its text did: what came stays good. */
export class BrokenError extends Error {}

/** Raises ServiceError, BrokenError, or AbortError after `signal`. */
export async function* generate(body, signal) {
  const answer = yield* patiently(body, signal);
  let isWhole = false;
  try {
    for await (const event of events(answer.body)) {
      if (event.data === "[DONE]") isWhole = true;
      else yield* meaning(event);
    }
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // what fetch says of a network that fails
    throw new BrokenError("the connection broke");
  }
  if (!isWhole) throw new BrokenError("the connection broke");
  yield { kind: "done" };
}

async function* patiently(body, signal) {
  for (let tried = 1; ; tried++) {
    try {
      return await send("/v1/generate", { body, accept: "text/event-stream", signal });
    } catch (error) {
      if (!(error instanceof ServiceError) || !error.isPassing || tried === MOST_TRIES) throw error;
      const seconds = error.retryAfter ?? Math.min(2 ** (tried - 1), 15);
      yield { kind: "retrying", seconds, why: error.message };
      await pause(seconds + Math.random() / 2, signal); // not all that were sent away at once
    }
  }
}

function* meaning({ comment, data }) {
  if (comment !== undefined) {
    const ahead = /^waiting, (\d+) ahead$/.exec(comment);
    if (ahead) yield { kind: "waiting", ahead: Number(ahead[1]) };
    return;
  }
  const event = JSON.parse(data);
  if (event.error?.code === "stopping") throw new BrokenError(event.error.message);
  if (event.error) throw new ServiceError(event.error.message, { status: 500, ...event.error });
  if (event.id) yield { kind: "began", ...event };
  if (event.text)
    yield { kind: "text", index: event.index, text: event.text.replace(/\r\n?/g, "\n") };
  if (event.finish_reason) {
    yield {
      kind: "ended",
      index: event.index,
      reason: event.finish_reason,
      stop: event.stop_reason,
    };
  }
}
