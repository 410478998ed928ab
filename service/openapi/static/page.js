// The forms of the page: each sends one request and shows the answer as it comes.
// Without this script the page is whole but for them.
"use strict";

const service = location.href.replace(/\/docs(?:[?#].*)?$/, "");
const keyForm = document.querySelector("form.key");

for (const command of document.querySelectorAll("code.curl")) {
  command.textContent = command.textContent.replace("SERVICE", service);
}
document.querySelector(".placeholder").remove();
for (const form of document.querySelectorAll("form.try")) {
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (form !== keyForm) send(form);
  });
}

function requestOf(form, signal) {
  const fields = new FormData(form);
  const path = form.dataset.path.replace(/\{(\w+)\}/g, (_, name) =>
    String(fields.get(name)).split("/").map(encodeURIComponent).join("/"));
  const headers = {};
  if (fields.has("accept")) headers.Accept = fields.get("accept");
  const key = keyForm?.elements.key.value.trim();
  if (key) headers["X-Api-Key"] = key;
  const options = { method: form.dataset.method, headers, signal };
  if (fields.has("body")) options.body = fields.get("body");
  return [service + path, options];
}

async function send(form) {
  const [submit, stop] = form.querySelectorAll("button");
  const status = form.querySelector("output");
  const answer = form.querySelector("pre.answer");
  const leaving = new AbortController();
  stop.onclick = () => leaving.abort();
  submit.disabled = true;
  stop.disabled = false;
  answer.hidden = false;
  answer.textContent = "";
  status.textContent = "Waiting";
  try {
    const response = await fetch(...requestOf(form, leaving.signal));
    status.textContent = `${response.status} ${response.statusText}`;
    const text = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let part = await text.read(); !part.done; part = await text.read()) {
      answer.append(part.value);
    }
  } catch (error) {
    status.textContent += leaving.signal.aborted ? ", stopped" : `: ${error.message}`;
  } finally {
    submit.disabled = false;
    stop.disabled = true;
  }
}
