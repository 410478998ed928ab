// What the numbers of one character mean, in words for somebody who has never heard of a gate.

import { byId, el } from "../dom.js";
import { quoted } from "./reading.js";

const percent = (share) =>
  share < 0.001 ? "under 0.1%" : `${(share * 100).toFixed(share < 0.1 ? 1 : 0)}%`;
/** A number with two digits and a real minus. */
export const signed = (value) => value.toFixed(2).replace("-", "\u2212");
const surprise = [
  "expected",
  "likely",
  "no surprise",
  "a surprise",
  "a big surprise",
  "nearly impossible",
];

/** The character itself and what could have stood there. */
export function showCharacter({ token, isUnknown, surprisal, probability, top }, step, onTake) {
  byId("character").textContent = quoted(token) + (isUnknown ? ", unknown to the model" : "");
  byId("surprisal").textContent =
    `${surprisal.toFixed(2)} bits: its chance was ${percent(probability)}, ${surprise[step]}.`;
  byId("top").replaceChildren(
    ...top.map((other) => alternative(other, other.token === token, onTake)),
  );
}

function alternative({ token, probability }, isHere, onTake) {
  const bar = el("span", { class: "bar" });
  bar.style.width = `${probability * 100}%`;
  const canTake = !isHere && token !== "<s>";
  const button = el(
    "button",
    {
      type: "button",
      "aria-disabled": String(!canTake),
      "data-token": token,
      title: canTake ? "Continue from here with this one" : null,
      onclick: () => canTake && onTake(token),
    },
    el("span", { class: "token" }, quoted(token)),
    el("span", { class: "track" }, bar),
    el("span", { class: "share" }, percent(probability)),
  );
  if (isHere) button.append(el("span", { class: "unseen" }, ", as it is"));
  return el("li", {}, button);
}

/** What the layer did when it read the character, as means over its units. */
export function showGates({ gates, tokens, layer }, at) {
  const here = quoted(tokens[at].token);
  byId("gate-words").replaceChildren(
    ...(gates === null
      ? withoutGates()
      : [
          words(
            "forget",
            gates.forget[at],
            `of what the cells of layer ${layer + 1} held was kept when ${here} was read`,
          ),
          words("input", gates.input[at], "of what was new was let in"),
          words("output", gates.output[at], "of what the cells hold is shown to the layer above"),
        ]),
  );
}

function words(gate, value, meaning) {
  return el(
    "li",
    { class: `gate-${gate}` },
    el("b", {}, `${gate} gate ${value.toFixed(2)}`),
    `: on average ${percent(value)} ${meaning}.`,
  );
}

const withoutGates = () => [
  el("li", {}, "This network has no input, forget and output gates to show: it is no LSTM."),
];
