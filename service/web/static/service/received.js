// What of an answer has come, and the request that goes on behind it, on whichever replica: a text is a
// function of its request and its seed. Pure data, no document.

export class Received {
  #texts;
  #opening = null; // {seed, fingerprint}

  constructor(body) {
    this.asked = body;
    this.#texts = new Array(body.n ?? 1).fill("");
  }

  get hasBegun() {
    return this.#opening !== null;
  }

  /** The body of the request for the rest; of the one for all of it, before anything has come. */
  get body() {
    if (!this.hasBegun) return this.asked;
    const received = this.#texts.length > 1 ? this.#texts : this.#texts[0];
    return { ...this.asked, ...this.#opening, received };
  }

  begin({ seed, fingerprint }) {
    this.#opening = { seed, fingerprint };
  }

  add({ index, text }) {
    this.#texts[index] += text;
  }
}
