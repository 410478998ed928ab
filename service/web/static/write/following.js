// One generation at a time: followed from its request to its end, and told of. Where its text goes
// is its takers' matter.

import { announce, clearNotice, notify, sentence, showStatus } from "../notices.js";
import { ServiceError } from "../service/client.js";
import { BrokenError, compose, generate } from "../service/generation.js";
import { Progress } from "../service/progress.js";
import { withoutLead } from "../text/lines.js";
import { isPoem } from "./asking.js";

export class Following {
  #current = null; // {abort, progress, take, outcome}

  /** `onTurn` is told when one begins and when it is over. */
  constructor(models, onTurn) {
    Object.assign(this, { models, onTurn });
  }

  get isWriting() {
    return this.#current !== null;
  }

  stop() {
    if (!this.#current) return;
    this.#current.abort.abort();
    this.#end(this.#current, "stopped");
  }

  /** Follow a generation to its end, which is given back: "done", "stopped", "broken off" or "failed".
   * `take` has what is done with each kind of event, `refused` for an error, and `over`, which hears of
   * the end at once: when it is stopped, before anything else is done. */
  async follow(body, take, dropsLead = false) {
    clearNotice();
    const abort = new AbortController();
    const progress = new Progress(showStatus, announce, body.n);
    const current = (this.#current = { abort, progress, take, outcome: null });
    this.onTurn();
    const events = (isPoem(body) ? compose : generate)(body, abort.signal);
    try {
      for await (const event of dropsLead ? withoutLead(events) : events) {
        abort.signal.throwIfAborted(); // what had come before the stop and was not read yet
        progress.take(event);
        take[event.kind]?.(event);
      }
      return this.#end(current, "done");
    } catch (error) {
      return this.#end(current, this.#outcome(error, current));
    } finally {
      this.#end(current, "failed"); // by a fault of the page
    }
  }

  #end(current, outcome) {
    if (current.outcome) return current.outcome;
    current.outcome = outcome;
    if (this.#current === current) this.#current = null;
    current.progress.end(outcome);
    current.take.over?.(outcome);
    this.onTurn();
    return outcome;
  }

  #outcome(error, { take, outcome }) {
    if (error.name === "AbortError") return "stopped";
    if (error instanceof BrokenError) return "broken off";
    if (!(error instanceof ServiceError)) throw error;
    if (outcome) return outcome; // nobody waits for it any more
    if (error.code === "model_not_found") this.models.load();
    if (take.refused) take.refused(error);
    else notify(sentence(error.message));
    return "failed";
  }
}
