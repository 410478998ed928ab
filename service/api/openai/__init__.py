"""OpenAI's completions API, served by the same engine."""
