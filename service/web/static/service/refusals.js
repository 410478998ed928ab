// What the service refuses, in words for people instead of programs, by the code of its error.

const WORDS = {
  invalid_api_key: "this service needs a key, and whoever runs it can give you one",
  model_not_found: "this model is not here; choose another one in the settings",
  prompt_too_long: "the text is longer than this service takes",
  request_entity_too_large: "the text is longer than this service takes",
  rate_limit_exceeded: "you have asked as often as this service allows for now",
  too_many_texts: "these are more texts at once than this service allows",
  too_many_streams: "you have as many texts being written as this service allows at once",
  not_finite: "the model came to no end of its sums; other settings may help",
  engine: "the service failed at this",
  slow_reader: "the text came faster than it could be taken here",
  cancelled: "the service was told to end this",
  saturated: "the service is busy",
  no_model: "there is no model here yet",
  loading: "the models are still being loaded",
  preparing: "the model's words are being made ready",
  unavailable: "the service cannot write at the moment",
  stopping: "the service is about to stop",
  fingerprint_differs: "the model is another one by now, and cannot go on with this text",
  received_differs: "the service would write this text otherwise by now",
  timeout: "it took longer than this service allows",
};

/** Why a request failed: in the service's own words where they are of what was asked for. */
export function refusal(status, code, message) {
  if (code in WORDS) return WORDS[code];
  if (message && (code || status < 500)) return message;
  return status < 500 ? `the answer was ${status}` : `the service failed at this (${status})`;
}
