// Random editing of a manuscript, told by seed: typing, deleting, composing, generations that write
// meanwhile, undo and redo. Gives back what broke the law of the history, as sentences.
async ([module, numTrials, numActions]) => {
  const { Manuscript } = await import(module);
  const clock = performance.now;
  let now = 0;
  performance.now = () => now;
  const faults = [];
  for (let seed = 1; seed <= numTrials && faults.length < 5; seed++) {
    for (const fault of trial(seed)) faults.push(`seed ${seed}: ${fault}`);
  }
  performance.now = clock;
  return faults;

  function trial(seed) {
    let state = (seed * 2654435761) >>> 0;
    const below = (count) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * count);
    };
    const found = [];
    const script = new Manuscript(below(2) ? [{ text: "The moon is high", by: 0 }] : []);
    const first = stateOf(script);
    const writers = [];
    let pen = null;
    let composition = null;
    let numSteps = 0;
    let text = script.text;
    const put = (start, end, added) => (text = text.slice(0, start) + added + text.slice(end));
    script.onChange(({ start, removed, added, origin }) => {
      const isBefore = (at) => start + removed <= at;
      if (pen && origin !== "pen")
        pen.at = isBefore(pen.at) ? pen.at + added - removed : Math.min(pen.at, start);
      if (composition && origin !== composition && isBefore(composition.start))
        composition.start += added - removed;
    });
    const actions = [type, type, remove, hold, burst, write, write, write, begin, compose, compose, stepBack];
    for (let done = 0; done < numActions; done++) {
      now += 5000; // what is typed is a step of its own
      actions[below(actions.length)]();
      if (script.text !== text) return [...found, "the text is not what was done to it"];
    }
    const last = stateOf(script);
    check(script);
    const kept = JSON.parse(JSON.stringify(script.history));
    check(new Manuscript(JSON.parse(last), script.remembered, kept));
    return found;

    function type() {
      const start = below(text.length + 1);
      const added = ["x", "yz", "\n", "🌙"][below(4)];
      script.type(start, start, added);
      put(start, start, added);
      numSteps++;
      settle();
    }

    function remove() {
      const start = below(text.length + 1);
      const end = Math.min(text.length, start + 1 + below(8));
      if (end === start) return;
      script.type(start, end, "");
      put(start, end, "");
      numSteps++;
      settle();
    }

    /** Backspace, held down. */
    function hold() {
      const end = below(text.length + 1);
      const count = Math.min(end, 1 + below(3));
      for (let at = end; at > end - count; at--) {
        script.type(at - 1, at, "");
        put(at - 1, at, "");
      }
      numSteps += count > 0;
      settle();
    }

    /** Letter after letter, while the machine goes on elsewhere; where it begins, typing begins anew. */
    function burst() {
      let at = below(text.length + 1);
      const follow = script.onChange(({ start, removed, added, origin }) => {
        if (origin === "pen" && start < at) at += added - removed;
      });
      let isOn = false;
      for (const letter of "abc") {
        if (!isOn) numSteps++;
        isOn = true;
        script.type(at, at, letter);
        put(at, at, letter);
        at++;
        if (below(2)) continue;
        if (pen && !pen.text) isOn = false;
        write();
      }
      follow();
      settle();
    }

    function begin() {
      pen = null;
      if (below(2)) return;
      pen = { at: below(text.length + 1), step: Symbol(), by: script.addGeneration({}), text: "" };
    }

    function write() {
      if (!pen) return;
      const added = `${pen.by}${"·".repeat(1 + below(3))}`;
      if (!pen.text) writers.push(pen);
      const { at } = pen;
      script.change(at, at, [{ text: added, by: pen.by }], { step: pen.step, origin: "pen" });
      put(at, at, added);
      pen.at += added.length;
      pen.text += added;
    }

    /** An input method replaces what it has composed, until another step or nothing is left. */
    function compose() {
      if (!composition) {
        composition = { start: below(text.length + 1), text: "", step: Symbol() };
      }
      const { start, step } = composition;
      const end = start + composition.text.length;
      if (text.slice(start, end) !== composition.text) return settle();
      const added = ["k", "か", "かな", "仮名"][below(4)];
      composition.start = start;
      script.change(start, end, [{ text: added, by: 0 }], { step, origin: composition });
      put(start, end, added);
      if (!composition.text) numSteps++;
      composition.text = added;
      if (!below(3)) settle();
    }

    function settle() {
      composition = null;
    }

    /** Undo and redo in the middle: nothing has changed then. */
    function stepBack() {
      pen = null;
      settle();
      const before = stateOf(script);
      const count = Math.min(numSteps, below(4));
      let undone = 0;
      while (undone < count && script.undo() !== null) undone++;
      while (undone-- > 0) script.redo();
      if (stateOf(script) !== before) found.push("undo and redo in the middle changed the text");
    }

    function check(subject) {
      const states = [];
      while (subject.canUndo) {
        states.push(stateOf(subject));
        subject.undo();
      }
      if (stateOf(subject) !== first) found.push("all undone is not the text before everything");
      if (states.length !== numSteps + writers.length)
        found.push(`${states.length} steps, not ${numSteps} of typing and ${writers.length} written`);
      const seen = new Set();
      for (const after of states.reverse()) {
        subject.redo();
        if (stateOf(subject) !== after) found.push("a step done again is not what it was");
        for (const { by, text: whole } of writers) {
          if (seen.has(by) || !subject.piece.spans.some((span) => span.by === by)) continue;
          seen.add(by);
          if (!subject.text.includes(whole)) found.push(`of generation ${by} a fragment came back`);
        }
      }
      if (stateOf(subject) !== last) found.push("all done again is not the text after everything");
    }
  }

  function stateOf(script) {
    return JSON.stringify(script.piece.spans);
  }
};
