// What may be asked of the model: name, label, default, bounds and one line of meaning each.
// The names and numbers are those of POST /v1/generate; a test holds them equal.

const MOST_SEED = Number.MAX_SAFE_INTEGER; // larger ones would not survive JavaScript

export const FIELDS = [
  {
    name: "temperature",
    group: "basic",
    label: "Daring",
    initial: 0.8,
    least: 0,
    most: 10,
    step: 0.05,
    slider: { most: 2, ends: ["calm", "wild"] },
    meaning:
      "Calm keeps to what is likely. The number is the temperature; 0 always takes the likeliest.",
  },
  {
    name: "seed",
    group: "basic",
    label: "Seed",
    initial: null,
    isOptional: true,
    least: 0,
    most: MOST_SEED,
    step: 1,
    meaning: "The same seed, text and settings give the same lines; empty draws a new one.",
  },
  {
    name: "avoid",
    group: "basic",
    label: "Words to avoid",
    initial: [],
    kind: "phrases",
    mostItems: 64,
    mostCharacters: 100,
    meaning: "These never come, with commas between; love* stands for lover and lovely, too.",
  },
  {
    name: "max_tokens",
    group: "ending",
    label: "At most",
    initial: 256,
    least: 0,
    most: 1000000,
    step: 1,
    meaning: "Ends after this many characters, if the poem does not end before.",
  },
  {
    name: "min_tokens",
    group: "ending",
    label: "At least",
    initial: 0,
    least: 0,
    most: 1000000,
    step: 1,
    meaning: "The poem may not end before this many characters.",
  },
  {
    name: "max_lines",
    group: "ending",
    label: "Lines",
    initial: null,
    isOptional: true,
    least: 1,
    most: 100000,
    step: 1,
    meaning: "Ends with the end of so many lines.",
  },
  {
    name: "max_stanzas",
    group: "ending",
    label: "Stanzas",
    initial: null,
    isOptional: true,
    least: 1,
    most: 100000,
    step: 1,
    meaning: "Ends with the end of so many stanzas.",
  },
  {
    name: "soft_end",
    group: "ending",
    label: "Soft end",
    initial: null,
    isOptional: true,
    least: 0,
    most: 1000000,
    step: 1,
    meaning: "From so many characters on ends with a stanza, soon with any line.",
  },
  {
    name: "stop",
    group: "ending",
    label: "Stop before",
    initial: [],
    kind: "lines",
    mostItems: 16,
    mostCharacters: 200,
    meaning: "Ends before any of these, one a line; \\n stands for a new line.",
  },
  {
    name: "top_k",
    group: "choice",
    label: "Top-k",
    initial: 0,
    least: 0,
    most: 1000000,
    step: 1,
    meaning: "Only this many of the likeliest characters may come; 0 lets all.",
  },
  {
    name: "top_p",
    group: "choice",
    label: "Top-p",
    initial: 1,
    above: 0,
    most: 1,
    step: 0.01,
    meaning: "Only the likeliest that together have this probability.",
  },
  {
    name: "min_p",
    group: "choice",
    label: "Min-p",
    initial: 0,
    least: 0,
    most: 1,
    step: 0.01,
    meaning: "Only those that have this share of the likeliest one's probability.",
  },
  {
    name: "typical_p",
    group: "choice",
    label: "Typical-p",
    initial: 1,
    above: 0,
    most: 1,
    step: 0.01,
    meaning: "Only the most typically surprising that together have this probability.",
  },
  {
    name: "repetition_penalty",
    group: "penalty",
    label: "Repetition",
    initial: 1,
    above: 0,
    most: 10,
    step: 0.05,
    meaning: "Above 1, recent characters become less likely.",
  },
  {
    name: "frequency_penalty",
    group: "penalty",
    label: "Frequency",
    initial: 0,
    least: -2,
    most: 2,
    step: 0.05,
    meaning: "Lowers a character for each time that it came recently.",
  },
  {
    name: "presence_penalty",
    group: "penalty",
    label: "Presence",
    initial: 0,
    least: -2,
    most: 2,
    step: 0.05,
    meaning: "Lowers a character once if it came recently.",
  },
  {
    name: "penalty_window",
    group: "penalty",
    label: "Window",
    initial: 64,
    least: 1,
    most: 1024,
    step: 1,
    meaning: "How many characters back is recent.",
  },
];

export const PRESETS = {
  calm: { temperature: 0.5, top_p: 0.9 },
  playful: { temperature: 0.8, min_p: 0.02 },
  wild: { temperature: 1.2, top_p: 0.97 },
};

const INITIAL = Object.fromEntries(FIELDS.map(({ name, initial }) => [name, initial]));

export const fieldOf = (name) => FIELDS.find((field) => field.name === name);

/** Every field, where `settings` are silent its default. */
export const complete = (settings) => ({ ...INITIAL, ...settings });

/** Only what differs from the defaults. */
export function essential(settings) {
  const isOther = ([name, value]) => JSON.stringify(value) !== JSON.stringify(INITIAL[name]);
  return Object.fromEntries(Object.entries(settings).filter(isOther));
}

/** What is wrong with a field's value, or null. */
export function fault(field, value) {
  const { label, least, above, most, step } = field;
  if (value === null) return field.isOptional ? null : `${label} needs a number.`;
  if (field.kind) return listFault(field, value);
  if (!Number.isFinite(value)) return `${label} needs a number.`;
  if (step === 1 && !Number.isInteger(value)) return `${label} needs a whole number.`;
  if (above !== undefined && value <= above) return `${label} must be above ${above}.`;
  if (value < least || value > most)
    return `${label} must be between ${least ?? above} and ${most}.`;
  return null;
}

function listFault({ label, kind, mostItems, mostCharacters }, texts) {
  if (texts.length > mostItems) return `${label}: at most ${mostItems} ${kind}.`;
  return texts.some((text) => text.length > mostCharacters)
    ? `${label}: at most ${mostCharacters} characters each.`
    : null;
}

/** Values from text, such as a link's: those that are known and sound, nothing else. */
export function readSettings(entries) {
  const settings = {};
  for (const field of FIELDS) {
    const value = entries[field.name];
    const isRightKind = field.kind ? isTextList(value) : typeof value === "number";
    if (isRightKind && fault(field, value) === null) settings[field.name] = value;
  }
  return settings;
}

const isTextList = (value) =>
  Array.isArray(value) && value.every((text) => typeof text === "string" && text);

/** Lists of texts as they are typed: one a line, or with commas between. */
export const SHOWN = {
  lines: (texts) =>
    texts.map((text) => text.replace(/\\/g, "\\\\").replace(/\n/g, "\\n")).join("\n"),
  phrases: (texts) => texts.join(", "),
};

export const READ = {
  lines: (text) =>
    text
      .split("\n")
      .filter(Boolean)
      .map((line) => line.replace(/\\(n|\\)/g, (_, sign) => (sign === "n" ? "\n" : "\\"))),
  phrases: (text) =>
    text
      .split(/[,;\n]/)
      .map((phrase) => phrase.trim())
      .filter(Boolean),
};
