// One request for a text or a poem, from the first try to its end, as a sequence of plain objects:
//   {kind: "retrying", seconds, why}   the service is full or away; tried again after that
//   {kind: "resuming"}                 the connection broke; what follows goes on where it ended
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
import { Received } from "./received.js";
import { refusal } from "./refusals.js";

const MOST_TRIES = 12;
const WAITS_S = [0.3, 1, 2, 4, 8, 15]; // before each try to go on; begun anew once something comes

/** A stream that ended before its text did: what came stays good. */
export class BrokenError extends Error {
  constructor(message, { retryAfter = 0, isFinal = false } = {}) {
    super(message);
    Object.assign(this, { retryAfter, isFinal });
  }
}

/** A text goes on. Raises ServiceError, BrokenError, or AbortError after `signal`. */
export const generate = (body, signal) => throughBreaks("/v1/generate", body, signal, meaning);

/** A poem in a form, line by line. Raises ServiceError, BrokenError, or AbortError after `signal`. */
export function compose(body, signal) {
  let gap = "";
  return throughBreaks("/v1/poems", body, signal, function* (event) {
    if (event.number === undefined) yield* meaning(event);
    else {
      yield { kind: "line", line: event };
      yield { kind: "text", index: 0, text: gap + event.text };
      gap = event.ends_stanza ? "\n\n" : "\n";
    }
    if (event.report) yield { kind: "report", report: event.report };
  });
}

/** What an answer tells, by `told`, over as many connections as it takes: where one breaks, the next
 * goes on at the next character. */
async function* throughBreaks(path, body, signal, told) {
  const received = new Received(body);
  for (let tries = 0; ; tries++) {
    try {
      const again = received.hasBegun ? goingOn : patiently;
      for await (const event of read(again(path, received.body, signal), told)) {
        if (event.kind === "began" && received.hasBegun) continue;
        if (event.kind === "began") received.begin(event);
        if (event.kind === "text") {
          tries = 0;
          received.add(event);
        }
        yield event.kind === "text" ? withPlainLineEnds(event) : event;
      }
      return;
    } catch (error) {
      if (!(error instanceof BrokenError) || error.isFinal || tries >= WAITS_S.length) throw error;
      yield { kind: "resuming" };
      await pause(Math.max(WAITS_S[tries], error.retryAfter), signal);
    }
  }
}

/** What a stream tells, by `told`; how readings are asked for. */
export const follow = (path, body, signal, told) => read(patiently(path, body, signal), told);

async function* read(answering, told) {
  const answer = yield* answering;
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

/** The answer that goes on with what came; what came stays good where that is refused. */
async function* goingOn(path, body, signal) {
  try {
    return await send(path, { body, accept: "text/event-stream", signal });
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    const { message, isPassing, retryAfter } = error;
    throw new BrokenError(message, { isFinal: !isPassing, retryAfter: retryAfter ?? 0 });
  }
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
  if (event.text) yield { kind: "text", index: event.index, text: event.text };
  if (event.finish_reason) {
    yield {
      kind: "ended",
      index: event.index,
      reason: event.finish_reason,
      stop: event.stop_reason,
    };
  }
}

const withPlainLineEnds = (event) => ({ ...event, text: event.text.replace(/\r\n?/g, "\n") });
