"""Operations of the API that read and write texts: what each takes, answers and fails with."""

from service.api.generate import Cancelled, GenerateRequest
from service.api.generate_responses import GenerateAnswer, GenerateEvent
from service.api.inspect import InspectRequest
from service.api.inspect_models import InspectAnswer, InspectEvent
from service.api.openai.chat_body import ChatRequest
from service.api.openai.chat_responses import ChatAnswer, ChatEvent
from service.api.openai.completions_body import CompletionRequest
from service.api.openai.completions_responses import CompletionAnswer, CompletionEvent
from service.api.score import ScoreAnswer, ScoreRequest
from service.api.tokenization import (
    DetokenizeAnswer,
    DetokenizeRequest,
    TokenizeAnswer,
    TokenizeRequest,
    TokenizerInfo,
)
from service.openapi import error_catalogue
from service.openapi.headers import OF_JOBS
from service.openapi.spec_model import EVENTS, PLAIN, Example, MediaType, Operation

COMMENTS = (
    "Lines that begin with `:` are comments, which clients skip: `: waiting, 3 ahead` says how "
    "many requests are served before this one, again whenever that changes; `: reading, 6400 of "
    "20000` how many tokens of a long prompt were read, once a second; `: ping` keeps the "
    "connection open. `data: [DONE]` ends a stream that is whole. A failure is an event with "
    "`error`, after which there is no `[DONE]`."
)
MOON = {"prompt": "The moon", "temperature": 0.6, "seed": 1, "max_tokens": 60}
CHAT_MOON = {
    "messages": [{"role": "user", "content": "The moon"}],
    "temperature": 0.6,
    "seed": 1,
    "max_tokens": 60,
}

GENERATE = Operation(
    name="generate",
    tag="text",
    summary="Continue a prompt",
    description="`Accept` chooses the form of the answer; without one it is plain text. Several "
    "texts (`n`), `logprobs` and `copies` need one of the JSON forms. The body is read as JSON "
    "whatever its Content-Type says. A client that closes the connection cancels its request.",
    body=GenerateRequest,
    examples=(
        Example(title="As a stream of text", body=MOON),
        Example(title="As events", body=MOON, accept=EVENTS),
        Example(
            title="Two texts at once, as one object",
            body={**MOON, "n": 2, "stop": "\n"},
            accept="application/json",
        ),
    ),
    answers=(
        MediaType(
            content_type=PLAIN,
            description="The text as it comes. If it fails half-way, the chunked body is left "
            "without its end, which HTTP clients report as an error.",
        ),
        MediaType(
            content_type=EVENTS,
            model=GenerateEvent,
            description="An opening event at once, pieces of text, the usage. " + COMMENTS,
        ),
        MediaType(model=GenerateAnswer, description="Everything at once, when it is done."),
    ),
    errors=(
        *error_catalogue.OF_WORK,
        *error_catalogue.OF_RESUMING,
        error_catalogue.NOT_ACCEPTABLE,
    ),
    headers=OF_JOBS,
)

CANCEL = Operation(
    name="cancel",
    tag="text",
    summary="End a generation from elsewhere",
    description="For whoever knows its id, which nobody can guess. The text ends where it is.",
    path_parameters={"job_id": "the `id` of the answer, or its header X-Strophe-Id"},
    answers=(MediaType(model=Cancelled, description="It ends now."),),
    errors=(error_catalogue.NOT_UNDER_WAY, error_catalogue.MISDIRECTED),
)

COMPLETE = Operation(
    name="complete",
    tag="openai",
    summary="Continue prompts by OpenAI's contract",
    description="The sampling fields of /v1/generate are taken too. Fields that are not listed are "
    "left aside, and told in X-Strophe-Ignored-Fields. `stream_options` needs `stream`; `best_of` "
    "is at least `n` and, above it, not for streams. Prompts are together no longer than this "
    "service takes.",
    body=CompletionRequest,
    examples=(
        Example(title="One text", body=MOON),
        Example(title="As a stream", body={**MOON, "stream": True}),
        Example(
            title="The better of two, with log probabilities",
            body={**MOON, "max_tokens": 20, "best_of": 2, "logprobs": 2},
        ),
    ),
    answers=(
        MediaType(model=CompletionAnswer, description="Everything at once, when it is done."),
        MediaType(
            content_type=EVENTS,
            model=CompletionEvent,
            description="With `stream`: a comment at once, then chunks. " + COMMENTS,
        ),
    ),
    errors=(*error_catalogue.OF_WORK, *error_catalogue.OF_RESUMING),
    headers=(*OF_JOBS, "X-Strophe-Ignored-Fields"),
)

CHAT = Operation(
    name="chat",
    tag="openai",
    summary="Continue the last message of a chat by OpenAI's contract",
    description="A verse model knows no roles: the last message of the user is the prompt, which "
    "`prompt.message` of the answer names, and no other message is read. Tools, images and other "
    "formats than text are refused by name. The sampling fields of /v1/generate are taken too. "
    "Fields that are not listed are left aside, and told in X-Strophe-Ignored-Fields. "
    "`stream_options` needs `stream`, `top_logprobs` needs `logprobs`.",
    body=ChatRequest,
    examples=(
        Example(title="One message", body=CHAT_MOON),
        Example(title="As a stream", body={**CHAT_MOON, "stream": True}),
    ),
    answers=(
        MediaType(model=ChatAnswer, description="Everything at once, when it is done."),
        MediaType(
            content_type=EVENTS,
            model=ChatEvent,
            description="With `stream`: a chunk with the role at once, chunks of text, and one "
            "with the finish_reason. " + COMMENTS,
        ),
    ),
    errors=error_catalogue.OF_WORK,
    headers=(*OF_JOBS, "X-Strophe-Ignored-Fields"),
)

SCORE = Operation(
    name="score",
    tag="text",
    summary="How surprising a text is",
    description="The text as a whole, and each token given all before it. The figures are by "
    "character of the text as it was scored, folded characters included.",
    body=ScoreRequest,
    examples=(Example(title="One line", body={"text": "Ah, moon", "logprobs": 1}),),
    answers=(MediaType(model=ScoreAnswer, description="All of it, when it is done."),),
    errors=(*error_catalogue.OF_WORK, error_catalogue.CANCELLED),
)

INSPECT = Operation(
    name="inspect",
    tag="text",
    summary="What one layer does while it reads a text",
    description="For pictures: surprisals, likeliest tokens, gates, hidden and cell states, "
    "rounded; and of the `units` every number of their equations, unrounded. Gates and states are "
    "seen in float32, after each token. `Accept` chooses the form of the answer.",
    body=InspectRequest,
    examples=(
        Example(title="One line", body={"text": "Ah, moon", "top": 1}),
        Example(
            title="In parts, and the equations of one unit",
            body={"text": "Ah, moon", "top": 1, "units": [7]},
            accept=EVENTS,
        ),
    ),
    answers=(
        MediaType(model=InspectAnswer, description="All of it, when it is done."),
        MediaType(
            content_type=EVENTS,
            model=InspectEvent,
            description="An opening event at once, and parts of the text as they are read: "
            "together what one object would say, to the bit. " + COMMENTS,
        ),
    ),
    errors=(
        *error_catalogue.OF_WORK,
        error_catalogue.CANCELLED,
        error_catalogue.NOT_ACCEPTABLE,
    ),
    headers=tuple(name for name in OF_JOBS if name != "X-Strophe-Seed"),
)

TOKENIZE = Operation(
    name="tokenize",
    tag="tokens",
    summary="Token ids of a text",
    description="As vLLM has it, and as a model reads the text: characters that it does not know "
    "are folded. Fields that are not listed are left aside, and told in X-Strophe-Ignored-Fields.",
    body=TokenizeRequest,
    examples=(Example(title="One line", body={"prompt": "Ah, moon", "return_token_strs": True}),),
    answers=(MediaType(model=TokenizeAnswer, description="The ids."),),
    errors=error_catalogue.OF_TOKENS,
    headers=("X-Strophe-Ignored-Fields",),
)

DETOKENIZE = Operation(
    name="detokenize",
    tag="tokens",
    summary="Text of token ids",
    description="As vLLM has it. The ids are those of the model, each below its `vocab_size`. "
    "Fields that are not listed are left aside, and told in X-Strophe-Ignored-Fields.",
    body=DetokenizeRequest,
    examples=(Example(title="Three tokens", body={"tokens": [2, 3, 4]}),),
    answers=(MediaType(model=DetokenizeAnswer, description="The text."),),
    errors=error_catalogue.OF_TOKENS,
    headers=("X-Strophe-Ignored-Fields",),
)

TOKENIZER_INFO = Operation(
    name="tokenizer_info",
    tag="tokens",
    summary="The default model's tokenizer",
    description="As vLLM has it, under the names of a tokenizer_config.json.",
    answers=(MediaType(model=TokenizerInfo, description="Its kind, size and special tokens."),),
    errors=error_catalogue.OF_A_MODEL,
)
