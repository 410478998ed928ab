"""Requests drawn at random: every route that can be gone on with, all sampling fields, all forms.

The draw is a function of a generator's seed, so a request that shows a fault can be had again.
Knows nothing of connections and of answers.
"""

import random
from dataclasses import dataclass
from typing import Any, Literal

Form = Literal["text/plain", "text/event-stream", "application/json"]
PLAIN: Form = "text/plain"
EVENTS: Form = "text/event-stream"
JSON: Form = "application/json"

PROMPTS = (
    "",
    "The moon",
    "Shall I compare thee to a summer's day?\n",
    "O rose, thou art sick!\n\n",
    "Na\u00efve \u201cquotes\u201d, \u96e8, and a tab\t",
    "The sea, the sea, and once again the sea\n" * 8,
)
STOPS = ("\n\n", "e\n", "the", " a", ", and", "xyzzy", "th", ".\n", "\u00e9")
AVOIDED = ("the", "and", "of*", "love*", "sea", "o'er")
LETTERS = "etaoin \n,."
# Nobody has anything of an answer in one piece before its end, so it is asked for again as a whole.
MAX_IN_ONE_PIECE = 300
FORMS_OF_POEMS = ("haiku", "couplets", "limerick")
TITLES = ("THE SEA.", "A winter's night", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnRequest:
    """Request of one route, the form of its answer, and how one goes on with it."""

    path: str
    fields: dict[str, Any]
    form: Form
    by_event_id: bool  # with the header Last-Event-ID; else with the field `received`
    num_texts: int


def draw_request(
    draw: random.Random, *, max_tokens: int, max_texts: int = 4, poems: float = 0.0
) -> DrawnRequest:
    """Draw a request for up to `max_texts` (2 or more) texts of at most `max_tokens`.

    A share of `poems` are poems in a form.
    """
    if draw.random() < poems:
        return _poem(draw)
    return draw.choice((_generate, _generate, _complete))(draw, max_tokens, max_texts)


def _generate(draw: random.Random, max_tokens: int, max_texts: int) -> DrawnRequest:
    form = draw.choices((PLAIN, EVENTS, JSON), (4, 5, 1))[0]
    fields = _sampling(draw, max_tokens)
    fields |= {"prompt": draw.choice(PROMPTS), "echo": draw.random() < 0.3}
    if draw.random() < 0.2:
        fields["logit_bias"] = {letter: draw.uniform(-4, 2) for letter in draw.sample(LETTERS, 2)}
    num_texts = 1
    if form != PLAIN:
        fields["n"] = num_texts = draw.choice((1, 1, 2, min(3, max_texts)))
        fields |= _logprobs(draw)
    return _request(draw, "/v1/generate", fields, form, num_texts)


def _complete(draw: random.Random, max_tokens: int, max_texts: int) -> DrawnRequest:
    fields = _sampling(draw, max_tokens) | _logprobs(draw)
    prompts = draw.sample(PROMPTS, draw.choice((1, 1, 2)))
    num_each = draw.choice((1, 1, max_texts // len(prompts)))
    fields |= {"prompt": prompts, "n": num_each, "echo": draw.random() < 0.3}
    if draw.random() < 0.2:
        fields["logit_bias"] = {str(draw.randrange(2, 40)): draw.uniform(-4, 2) for _ in range(2)}
    form = draw.choices((EVENTS, JSON), (5, 1))[0]
    if form == EVENTS:
        fields |= {"stream": True, "stream_options": {"include_usage": True}}
    return _request(draw, "/v1/completions", fields, form, len(prompts) * num_each)


def _poem(draw: random.Random) -> DrawnRequest:
    fields = {
        "form": draw.choice(FORMS_OF_POEMS),
        "title": draw.choice(TITLES),
        "seed": draw.randrange(2**53),
        "strict": False,
    }
    form = draw.choice((PLAIN, EVENTS))
    return _request(draw, "/v1/poems", fields, form, 1)


def _request(
    draw: random.Random, path: str, fields: dict[str, Any], form: Form, num_texts: int
) -> DrawnRequest:
    if form == JSON:
        bound = min(fields["max_tokens"], MAX_IN_ONE_PIECE)
        fields = {
            **fields,
            "max_tokens": bound,
            "min_tokens": min(fields.get("min_tokens", 0), bound),
        }
    by_event_id = form == EVENTS and draw.random() < 0.5
    return DrawnRequest(
        path=path, fields=fields, form=form, by_event_id=by_event_id, num_texts=num_texts
    )


def _logprobs(draw: random.Random) -> dict[str, Any]:
    return {"logprobs": draw.choice((0, 1, 5))} if draw.random() < 0.4 else {}


def _sampling(draw: random.Random, max_tokens: int) -> dict[str, Any]:
    """Draw sampling fields: each is there with some chance, the seed and a length always."""
    length = draw.randrange(1, max_tokens + 1)
    chances: dict[str, Any] = {
        "temperature": draw.choice((0, draw.uniform(0.2, 1.0), draw.uniform(1.0, 1.6))),
        "top_k": draw.randrange(1, 40),
        "top_p": draw.uniform(0.3, 1.0),
        "min_p": draw.uniform(0.0, 0.2),
        "typical_p": draw.uniform(0.3, 1.0),
        "repetition_penalty": draw.uniform(0.8, 1.8),
        "frequency_penalty": draw.uniform(-0.3, 0.8),
        "presence_penalty": draw.uniform(-0.3, 0.8),
        "penalty_window": draw.choice((1, 7, 200, 1024)),
        "stop": draw.sample(STOPS, draw.randrange(1, 4)),
        "min_tokens": draw.randrange(length + 1),
        "max_lines": draw.randrange(1, 9),
        "max_stanzas": draw.randrange(1, 4),
        "soft_end": draw.randrange(length + 1),
        "avoid": draw.sample(AVOIDED, draw.randrange(1, 4)),
    }
    rare = {"stop": 0.2, "max_lines": 0.15, "max_stanzas": 0.15, "soft_end": 0.15, "avoid": 0.15}
    chosen = {name: value for name, value in chances.items() if draw.random() < rare.get(name, 0.3)}
    return {**chosen, "seed": draw.randrange(2**53), "max_tokens": length}
