// Server-sent events as they come over fetch: JSON events, and comments (": waiting, 3 ahead").

/** Yields {data} with what a `data:` line holds, and {comment}. */
export async function* events(stream) {
  for await (const line of lines(stream)) {
    if (line.startsWith(":")) yield { comment: line.slice(1).trim() };
    else if (line.startsWith("data:")) yield { data: line.slice(5).trim() };
  }
}

async function* lines(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const parts = (rest + value).split("\n");
      rest = parts.pop();
      yield* parts;
    }
  } finally {
    reader.cancel().catch(() => {}); // who leaves early closes the connection
  }
}
