// Ready texts that show something, and the addresses of See. Pure data, no document.

import { bounded } from "../keep/link.js";

export const SAMPLES = {
  quotation: {
    label: "quotation",
    says: "Who speaks? A unit that follows quotation turns where the quotes open, and back where they close.",
    target: "quoted",
    text: `"Who goes so late across the mere?"
The ferryman called from the reeds.
"A man who has not far to steer,"
I said, "and nothing that he needs."

He laughed. "Then leave your coat with me,
For coats are heavy on the tide,
And what you carry, so I see,
Is carried to the other side."

The oars went down, the oars came up,
And neither of us spoke a word.
"There's wine," he said, "inside the cup."
I drank. The water never stirred.
`,
  },
  lines: {
    label: "line length",
    says: "Long lines and short ones. A unit that follows the position in the line rises until the line ends.",
    target: "column",
    text: `Snow.
All night it fell, and no one heard it fall,
Nor saw the garden losing wall by wall,
Till morning
Came.
Then every child ran out to call its name,
And white
Was all the answer that the meadow gave,
As deep and quiet as an open grave,
And light,
So light a bird could carry it away
By evening.
So it may.
`,
  },
  bracket: {
    label: "a closed bracket",
    says: "How long is an open bracket remembered? Look how likely ‘)’ is at the end of the second line, and of the fourth, where it comes; then see the shorter ones.",
    target: "bracketed",
    text: `My neighbour keeps a garden (half of stone,
And half of such as nobody has sown:
The dock, the nettle, bindweed on the wall,
And one old rose that will not bloom at all)
And walks in it at evening, quite alone.

She told me once (but this was years ago,
Before the winter took the pear in snow)
That weeds are only flowers out of place;
I saw the lamp (it flickered) on her face,
And never asked her how she came to know.
`,
  },
};

/** The part of an address behind "#" that leads to what is seen. Raises RangeError. */
export function addressOf({ sample, text, model, layer, unit, at, paint }) {
  const parameters = new URLSearchParams({ view: "see" });
  if (sample) parameters.set("sample", sample);
  else parameters.set("look", text);
  if (model) parameters.set("model", model);
  for (const [name, value] of Object.entries({ layer, unit, at, paint }))
    parameters.set(name, value);
  return bounded(parameters, "The text is too long for a link. Make the sheet shorter.");
}

/** What an address asks See for; null where it only opens it. */
export function readAddress(fragment) {
  const parameters = new URLSearchParams(fragment);
  const sample = parameters.get("sample");
  const isSample = Object.hasOwn(SAMPLES, sample ?? "");
  if (!isSample && !parameters.get("look")) return null;
  const paint = parameters.get("paint");
  return {
    source: isSample ? sample : "link",
    text: isSample ? SAMPLES[sample].text : parameters.get("look").replace(/\r\n?/g, "\n"),
    model: parameters.get("model"),
    layer: count(parameters.get("layer")),
    unit: count(parameters.get("unit")),
    at: count(parameters.get("at")),
    paint: paint === "unit" ? "unit" : "surprisal",
  };
}

const count = (text) => (/^\d{1,6}$/.test(text ?? "") ? Number(text) : null);
