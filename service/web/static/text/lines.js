// A generation cut at the ends of lines. Knows nothing of where the text goes.

/** The events of a generation until each of its texts has so many lines. Leaving early closes the
 * connection. Empty lines in front do not count; `dropsLead` leaves them out. */
export async function* untilLines(events, { count, numTexts = 1, dropsLead = false }) {
  const cuts = Array.from({ length: numTexts }, () => new Cut(count, dropsLead));
  for await (const event of events) {
    if (event.kind !== "text") yield event;
    else {
      const text = cuts[event.index].take(event.text);
      if (text) yield { ...event, text };
      if (cuts.every((cut) => cut.isOver)) return;
    }
  }
}

class Cut {
  constructor(count, dropsLead) {
    this.left = count;
    this.dropsLead = dropsLead;
    this.hasBegun = false;
  }

  get isOver() {
    return this.left <= 0;
  }

  /** As much of this text as still belongs to the lines. */
  take(text) {
    if (this.isOver) return "";
    const lead = this.hasBegun ? "" : /^\n*/.exec(text)[0];
    const body = text.slice(lead.length);
    this.hasBegun ||= body !== "";
    const parts = body.split("\n");
    const kept = parts.slice(0, this.left).join("\n");
    this.left -= parts.length - 1;
    return (this.dropsLead ? "" : lead) + kept;
  }
}
