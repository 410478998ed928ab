// What is said of a whole poem, and of one that cannot be, in words that poets use.

import { sentence } from "../notices.js";
import { onOneLine } from "../text/lines.js";

const SURELY = { sure: "This is", probable: "This is probably", possible: "This may be" };
const FLOWS = [
  [0.05, "It flows as freely as the model writes without a form."],
  [0.3, "It is a little stiffer than the model writes without a form."],
  [Infinity, "It is stiffer than the model writes without a form."],
];

/** What `answer`, that of /v1/analyze, says of a poem; `report` is its composer's, where known. */
export function verdictOf(answer, report) {
  return [
    answer.report ? kept(answer.report) : heard(answer),
    answer.unknown_words.length ? `Not known: ${answer.unknown_words.join(", ")}.` : "",
    ...(report ? composed(report) : []),
    ...(answer.copied?.flagged ?? []).map(copy),
  ]
    .filter(Boolean)
    .join(" ");
}

function kept({ ok, lines, checks }) {
  const good = lines.filter((line) => line.ok).length;
  const isLong = checks.some((check) => check.kind === "lines" && !check.ok);
  const isOpen = checks.some((check) => check.kind === "close" && !check.ok);
  if (isLong) return `So far ${good} of ${lines.length} keep the form.`;
  return (
    (ok ? "Keeps the form, line by line." : `${good} of ${lines.length} lines keep the form.`) +
    (isOpen ? " The last line does not come to an end." : "")
  );
}

function heard({ scheme, recognized }) {
  const rhymes = /[A-Za-z]/.test(scheme) ? `Rhymes ${scheme}.` : "No rhymes are heard.";
  if (!recognized) return rhymes;
  return `${rhymes} ${SURELY[recognized.confidence]} the form ${recognized.form.replace("-", " ")}.`;
}

/** A run that the model may have from what it has read. */
function copy({ text, title, file }) {
  return `“${onOneLine(text)}” stands word for word in what the model has read: ${title ?? file}.`;
}

function composed({ fluency, free_fluency: free, relaxed }) {
  const flows = fluency !== null && free !== null;
  return [
    flows ? FLOWS.find(([most]) => fluency - free <= most)[1] : "",
    relaxed.length ? `Given up: ${relaxed.join("; ")}.` : "",
  ];
}

/** Why a poem cannot be; the line that it hangs on is told by its number. */
export function reasonOf({ message, param }, spec) {
  const place = /^spec\.stanzas\.(\d+)\.(\d+)/.exec(param ?? "");
  const plain = message
    .replace(/^spec(\.\w+)*: /, "")
    .replace("leave out strict", "let it give way");
  if (!place || !spec) return sentence(plain);
  const before = spec.stanzas.slice(0, Number(place[1])).reduce((sum, all) => sum + all.length, 0);
  return `Line ${before + Number(place[2]) + 1}: ${sentence(plain)}`;
}
