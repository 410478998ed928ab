"""Operations of the API: what each route does, takes, answers and fails with, in words and models.

A new route is described here.
"""

from service.api.generate import Cancelled, GenerateRequest
from service.api.generate_responses import GenerateAnswer, GenerateEvent
from service.api.health import Alive, NotAlive, NotReady, Ready
from service.api.inspect import InspectAnswer, InspectRequest
from service.api.models import ModelDetails, ModelList
from service.api.openai.completions_body import CompletionRequest
from service.api.openai.responses import CompletionAnswer, CompletionEvent
from service.api.score import ScoreAnswer, ScoreRequest
from service.openapi import error_catalogue
from service.openapi.headers import OF_JOBS
from service.openapi.spec_model import EVENTS, PLAIN, Example, MediaType, Operation

TAGS = {
    "text": "A prompt goes in, text comes out.",
    "openai": "The same by OpenAI's contract, for the clients that speak it.",
    "models": "What is on offer.",
    "health": "For orchestrators and Prometheus; also on a port of its own, without a key.",
    "page": "For a browser.",
    "document": "This document, and the page that shows it.",
}

COMMENTS = (
    "Lines that begin with `:` are comments, which clients skip: `: waiting, 3 ahead` says how "
    "many requests are served before this one, again whenever that changes; `: ping` keeps the "
    "connection open. `data: [DONE]` ends a stream that is whole. A failure is an event with "
    "`error`, after which there is no `[DONE]`."
)
MOON = {"prompt": "The moon", "temperature": 0.6, "seed": 1, "max_tokens": 60}

GENERATE = Operation(
    name="generate",
    tag="text",
    summary="Continue a prompt",
    description="`Accept` chooses the form of the answer; without one it is plain text. Texts and "
    "log probabilities of several (`n`, `logprobs`) need one of the JSON forms. The body is read "
    "as JSON whatever its Content-Type says. A client that closes the connection cancels "
    "its request.",
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
    errors=(*error_catalogue.OF_WORK, error_catalogue.NOT_ACCEPTABLE),
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
    "rounded. Gates and states are seen in float32, after each token.",
    body=InspectRequest,
    examples=(Example(title="One line", body={"text": "Ah, moon", "top": 1}),),
    answers=(MediaType(model=InspectAnswer, description="All of it, when it is done."),),
    errors=(*error_catalogue.OF_WORK, error_catalogue.CANCELLED),
)

LIST_MODELS = Operation(
    name="list_models",
    tag="models",
    summary="The models on offer",
    description="In the shape of OpenAI's list. Models come and go while the service runs.",
    answers=(MediaType(model=ModelList, description="All of them."),),
)

SHOW_MODEL = Operation(
    name="show_model",
    tag="models",
    summary="One model",
    description="An entry of the list, with the network's shape and its card.",
    path_parameters={"name": "the `id` of an entry"},
    answers=(MediaType(model=ModelDetails, description="It is on offer."),),
    errors=(error_catalogue.NO_MODEL_OF_THIS_NAME, error_catalogue.NO_SUCH_PATH),
)

ALIVE = Operation(
    name="healthz",
    tag="health",
    summary="Whether the process is alive",
    description="When it is not, restart it.",
    answers=(
        MediaType(model=Alive, description="It can do its work."),
        MediaType(status=503, model=NotAlive, description="The engine has ended by an error."),
    ),
)

READY = Operation(
    name="readyz",
    tag="health",
    summary="Whether a request sent now would be written",
    description="Idle is ready; stalled, stopping and without a model is not.",
    answers=(
        MediaType(model=Ready, description="It would."),
        MediaType(status=503, model=NotReady, description="It would not; `reason` says why."),
    ),
)

METRICS = Operation(
    name="metrics",
    tag="health",
    summary="Prometheus metrics",
    description="In Prometheus' text format.",
    answers=(MediaType(content_type=PLAIN, description="All series."),),
)

UNCHANGED = MediaType(
    status=304, content_type=None, description="If-None-Match named the copy that there is."
)

DOCUMENT = Operation(
    name="openapi",
    tag="document",
    summary="This document",
    description="OpenAPI 3.1, of this service as it is set.",
    answers=(MediaType(description="The document."), UNCHANGED),
    headers=("ETag", "Cache-Control"),
)

PAGE = Operation(
    name="docs",
    tag="document",
    summary="The page that shows this document",
    description="Works without a network, and to be read without JavaScript.",
    answers=(MediaType(content_type="text/html", description="The page."), UNCHANGED),
    headers=("ETag", "Cache-Control"),
)

ASSET = Operation(
    name="docs_asset",
    tag="document",
    summary="What the page is made of",
    description="Its style and its script.",
    path_parameters={"asset": "`page.css` or `page.js`"},
    answers=(
        MediaType(content_type="text/css", description="The style."),
        MediaType(content_type="text/javascript", description="The script."),
        UNCHANGED,
    ),
    errors=(error_catalogue.NO_SUCH_FILE,),
    headers=("ETag", "Cache-Control"),
)

WRITING_PAGE = Operation(
    name="page",
    tag="page",
    summary="The page to write verse on with a model",
    description="For a browser. It asks for a key where the service wants one.",
    answers=(MediaType(content_type="text/html", description="The page."), UNCHANGED),
    headers=("ETag", "Cache-Control"),
)

PART = Operation(
    name="page_part",
    tag="page",
    summary="What the page is made of",
    description="Its styles, its scripts and its icon.",
    path_parameters={"name": "such as `page.css` or `main.js`"},
    answers=(
        MediaType(content_type="text/html", description="The page itself."),
        MediaType(content_type="text/css", description="A style."),
        MediaType(content_type="text/javascript", description="A script."),
        MediaType(content_type="image/svg+xml", description="The icon."),
        UNCHANGED,
    ),
    errors=(error_catalogue.NO_SUCH_FILE,),
    headers=("ETag", "Cache-Control"),
)

OPERATIONS: dict[tuple[str, str], Operation] = {
    ("POST", "/v1/generate"): GENERATE,
    ("POST", "/v1/generate/<job_id>/cancel"): CANCEL,
    ("POST", "/v1/completions"): COMPLETE,
    ("POST", "/v1/score"): SCORE,
    ("POST", "/v1/inspect"): INSPECT,
    ("GET", "/v1/models"): LIST_MODELS,
    ("GET", "/v1/models/<path:name>"): SHOW_MODEL,
    ("GET", "/healthz"): ALIVE,
    ("GET", "/readyz"): READY,
    ("GET", "/metrics"): METRICS,
    ("GET", "/openapi.json"): DOCUMENT,
    ("GET", "/docs"): PAGE,
    ("GET", "/docs/<asset>"): ASSET,
    ("GET", "/"): WRITING_PAGE,
    ("GET", "/static/<name>"): PART,
}
