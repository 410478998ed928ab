"""Operations of the API of verse in forms: what each takes, answers and fails with."""

from service.api.verse.analyze import AnalyzeAnswer, AnalyzeRequest
from service.api.verse.form_list import FormList
from service.api.verse.poem_models import PoemAnswer, PoemEvent
from service.api.verse.poems import PoemBody
from service.api.verse.rhymes import RhymesAnswer, RhymesRequest
from service.openapi import error_catalogue
from service.openapi.headers import OF_JOBS
from service.openapi.spec_model import EVENTS, PLAIN, Example, MediaType, Operation
from service.openapi.work_operations import COMMENTS

HAIKU = {"form": "haiku", "title": "The moon", "seed": 1}
OF_VERSE = (*error_catalogue.OF_WORK, error_catalogue.PREPARING)

WRITE_POEM = Operation(
    name="write_poem",
    tag="verse",
    summary="Write a poem that keeps a form",
    description="`form` names one of /v1/forms, `spec` is one of your own. `Accept` chooses the "
    "form of the answer; without one it is plain text. What cannot be is refused before "
    "anything is written. With `strict`, which is the default, a poem of which a line cannot be "
    "found ends with 422 and what there is of it; without, the line gives up what it must, and "
    "says so. The first poem of a model waits some seconds until its words are made ready.",
    body=PoemBody,
    examples=(
        Example(title="As text, line by line", body=HAIKU),
        Example(title="As events, with the checks of each line", body=HAIKU, accept=EVENTS),
        Example(
            title="A form of one's own, as one object",
            body={
                "spec": {"stanzas": [[{"start": "O", "syllables": [4, 8]}, {"acrostic": "M"}]]},
                "seed": 1,
            },
            accept="application/json",
        ),
    ),
    answers=(
        MediaType(
            content_type=PLAIN,
            description="The lines as they come. If it fails half-way, the chunked body is left "
            "without its end, which HTTP clients report as an error.",
        ),
        MediaType(
            content_type=EVENTS,
            model=PoemEvent,
            description="An opening event at once, one for each line, and the report. " + COMMENTS,
        ),
        MediaType(model=PoemAnswer, description="The whole poem, when it is done."),
    ),
    errors=(
        *OF_VERSE,
        *error_catalogue.OF_RESUMING,
        error_catalogue.NOT_ACCEPTABLE,
        error_catalogue.IMPOSSIBLE_FORM,
        error_catalogue.FORM_NOT_KEPT,
    ),
    headers=OF_JOBS,
)

ANALYZE = Operation(
    name="analyze",
    tag="verse",
    summary="What a text is as verse",
    description="How its lines are said, what rhymes, which form it has; and whether it keeps the "
    "form that it is held against; and what of it stands in the model's training text. English is "
    "known; other text has unknown words.",
    body=AnalyzeRequest,
    examples=(
        Example(title="Two lines", body={"text": "The moon is high,\nthe night goes by."}),
        Example(
            title="Held against a form",
            body={"text": "Old pond\na frog jumps in\nsplash", "form": "haiku"},
        ),
    ),
    answers=(MediaType(model=AnalyzeAnswer, description="Line by line, and as a whole."),),
    errors=(*error_catalogue.OF_A_BODY, *error_catalogue.OF_A_MODEL),
)

RHYMES = Operation(
    name="rhymes",
    tag="verse",
    summary="Words that rhyme, by how likely they are in a place",
    description="Of the words of the model's own texts, perfect rhymes: the commonest 256 are "
    "weighed in the place, the likeliest of them given. The probability is that the model goes on "
    "with that word behind `context`.",
    body=RhymesRequest,
    examples=(
        Example(title="In a line", body={"word": "night", "context": "The stars are", "limit": 5}),
    ),
    answers=(MediaType(model=RhymesAnswer, description="By their number of syllables."),),
    errors=(*OF_VERSE, error_catalogue.NO_RHYME, error_catalogue.CANCELLED),
)

LIST_FORMS = Operation(
    name="list_forms",
    tag="verse",
    summary="The forms that have a name",
    description="With what each is, and its spec, to begin one's own with.",
    answers=(MediaType(model=FormList, description="All of them."),),
)
