"""Operations of the API: what each route does, takes, answers and fails with, in words and models.

A new route is described here.
"""

from service.api.health import Alive, NotAlive, NotReady, Ready
from service.api.models import ModelDetails, ModelList
from service.openapi import error_catalogue
from service.openapi.headers import OF_FILES
from service.openapi.spec_model import PLAIN, MediaType, Operation
from service.openapi.verse_operations import ANALYZE, LIST_FORMS, RHYMES, WRITE_POEM
from service.openapi.work_operations import (
    CANCEL,
    CHAT,
    COMPLETE,
    DETOKENIZE,
    GENERATE,
    INSPECT,
    SCORE,
    TOKENIZE,
    TOKENIZER_INFO,
)

TAGS = {
    "text": "A prompt goes in, text comes out.",
    "verse": "Poems that keep a form, and what a text is as verse.",
    "openai": "The same by OpenAI's contract, for the clients that speak it.",
    "tokens": "Text to token ids and back, as vLLM has it, for programs that score by ids.",
    "models": "What is on offer.",
    "health": "For orchestrators and Prometheus; also on a port of its own, without a key.",
    "page": "For a browser.",
    "document": "This document, and the page that shows it.",
}

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
    errors=(
        error_catalogue.NO_MODEL_OF_THIS_NAME,
        error_catalogue.NO_SUCH_PATH,
        error_catalogue.LOADING,
    ),
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
    headers=OF_FILES,
)

PAGE = Operation(
    name="docs",
    tag="document",
    summary="The page that shows this document",
    description="Works without a network, and to be read without JavaScript.",
    answers=(MediaType(content_type="text/html", description="The page."), UNCHANGED),
    headers=OF_FILES,
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
    headers=OF_FILES,
)

WRITING_PAGE = Operation(
    name="page",
    tag="page",
    summary="The page to write verse on with a model",
    description="For a browser. It asks for a key where the service wants one.",
    answers=(MediaType(content_type="text/html", description="The page."), UNCHANGED),
    headers=OF_FILES,
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
        MediaType(content_type="application/json", description="Numbers that it shows."),
        MediaType(content_type="application/manifest+json", description="How it is installed."),
        MediaType(content_type="image/svg+xml", description="The icon."),
        MediaType(content_type="image/png", description="The icon in dots."),
        UNCHANGED,
    ),
    errors=(error_catalogue.NO_SUCH_FILE,),
    headers=OF_FILES,
)

WORKER = Operation(
    name="page_worker",
    tag="page",
    summary="The page's service worker",
    description="Keeps one version of the page in the browser for times without a network.",
    answers=(MediaType(content_type="text/javascript", description="The script."), UNCHANGED),
    headers=OF_FILES,
)

OPERATIONS: dict[tuple[str, str], Operation] = {
    ("POST", "/v1/generate"): GENERATE,
    ("POST", "/v1/generate/<job_id>/cancel"): CANCEL,
    ("POST", "/v1/poems"): WRITE_POEM,
    ("POST", "/v1/analyze"): ANALYZE,
    ("POST", "/v1/rhymes"): RHYMES,
    ("GET", "/v1/forms"): LIST_FORMS,
    ("POST", "/v1/completions"): COMPLETE,
    ("POST", "/v1/chat/completions"): CHAT,
    ("POST", "/v1/score"): SCORE,
    ("POST", "/v1/inspect"): INSPECT,
    ("POST", "/tokenize"): TOKENIZE,
    ("POST", "/detokenize"): DETOKENIZE,
    ("GET", "/tokenizer_info"): TOKENIZER_INFO,
    ("GET", "/v1/models"): LIST_MODELS,
    ("GET", "/v1/models/<path:name>"): SHOW_MODEL,
    ("GET", "/healthz"): ALIVE,
    ("GET", "/readyz"): READY,
    ("GET", "/metrics"): METRICS,
    ("GET", "/openapi.json"): DOCUMENT,
    ("GET", "/docs"): PAGE,
    ("GET", "/docs/<asset>"): ASSET,
    ("GET", "/"): WRITING_PAGE,
    ("GET", "/static/<path:name>"): PART,
    ("GET", "/worker.js"): WORKER,
}
