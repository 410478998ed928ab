// One request for a text or a poem, from the first try to its end, as a sequence of plain objects:
//   {kind: "retrying", seconds, why}   the service is full or away; tried again after that
//   {kind: "began", id, model, seed, prompt}
//   {kind: "waiting", ahead}           in the queue
//   {kind: "text", index, text}
//   {kind: "line", line}               of a poem, with what it keeps; its text comes as well
//   {kind: "report", report}           on the whole poem
//   {kind: "ended", index, reason, stop}
//   {kind: "done"}
// Knows nothing of where the text goes.

import { events } from "./events.js";
import { pause, send, ServiceError } from "./client.js";
import { refusal } from "./refusals.js";

const MOST_TRIES = 12;

/** A stream that ended before its text did: what came stays good. */
export class BrokenError extends Error {}

/** A text goes on. Raises ServiceError, BrokenError, or AbortError after `signal`. */
export const generate = (body, signal) => follow("/v1/generate", body, signal, meaning);

/** A poem in a form, line by line. Raises ServiceError, BrokenError, or AbortError after `signal`. */
export function compose(body, signal) {
  let gap = "";
  return follow("/v1/poems", body, signal, function* (event) {
    if (event.number === undefined) yield* meaning(event);
    else {
      yield { kind: "line", line: event };
      yield { kind: "text", index: 0, text: gap + event.text };
      gap = event.ends_stanza ? "\n\n" : "\n";
    }
    if (event.report) yield { kind: "report", report: event.report };
  });
}

/** What a stream tells, by `told`; how generations are asked for, and readings. */
export async function* follow(path, body, signal, told) {
  const answer = yield* patiently(path, body, signal);
  let isWhole = false;
  try {
    for await (const event of events(answer.body)) {
      if (event.data === "[DONE]") isWhole = true;
      else yield* event.comment === undefined ? told(sound(event)) : waiting(event);
    }
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // what fetch says of a network that fails
    throw new BrokenError("the connection broke");
  }
  if (!isWhole) throw new BrokenError("the connection broke");
  yield { kind: "done" };
}

async function* patiently(path, body, signal) {
  for (let tried = 1; ; tried++) {
    try {
      return await send(path, { body, accept: "text/event-stream", signal });
    } catch (error) {
      if (!(error instanceof ServiceError) || !error.isPassing || tried === MOST_TRIES) throw error;
      const seconds = error.retryAfter ?? Math.min(2 ** (tried - 1), 15);
      yield { kind: "retrying", seconds, why: error.message };
      await pause(seconds + Math.random() / 2, signal); // not all that were sent away at once
    }
  }
}

function* waiting({ comment }) {
  const ahead = /^waiting, (\d+) ahead$/.exec(comment);
  if (ahead) yield { kind: "waiting", ahead: Number(ahead[1]) };
}

/** An event's content. Raises what it says went wrong. */
function sound({ data }) {
  const event = JSON.parse(data);
  if (event.error?.code === "stopping") throw new BrokenError(event.error.message);
  if (event.error) {
    const { code, message } = event.error;
    throw new ServiceError(refusal(500, code, message), { status: 500, ...event.error });
  }
  return event;
}

function* meaning(event) {
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
