"""Scoring of a given text by the engine, after which none is generated.

Shared by `/v1/score` and `/v1/inspect`; knows nothing of what each of them answers.
"""

from model.decoding.prompt_scores import PromptScores
from model.layer_inspection import InspectedLayer
from model.parameters import SamplingParams
from model.tokenizer import EncodedPrompt
from service.api.jobs import Job, Jobs
from service.api.response_models import TextFacts
from service.api.submission import start_job
from service.engine.failure import Failure, RequestFailedError
from service.models.served_model import ServedModel


def start_scoring(
    jobs: Jobs,
    served: ServedModel,
    text: EncodedPrompt,
    *,
    id_prefix: str,
    alternatives: int,
    inspected_layer: InspectedLayer | None = None,
) -> Job:
    """Start the job of a text that is scored, with so many alternatives at each place.

    Raises as `start_job` does.
    """
    return start_job(
        jobs,
        served,
        [text],
        SamplingParams(),
        id_prefix=id_prefix,
        num_texts=0,
        prompt_logprobs=alternatives,
        inspected_layer=inspected_layer,
    )


def scores_of(job: Job, jobs: Jobs) -> PromptScores:
    """Wait for the scores of a job, which ends with it. Raises RequestFailedError."""
    jobs.collect(job)
    scores = job.requests[0].scored_prompt
    if scores is None:  # cancelled by its id: half a score is none
        raise RequestFailedError(Failure.CANCELLED)
    return scores


def text_facts(served: ServedModel, text: EncodedPrompt) -> TextFacts:
    """Facts about a text as the tokenizer encoded it: characters, folded and unknown ones."""
    return {
        "characters": len(served.runner.tokenizer.decode(text.ids)),
        "folded": text.num_folded,
        "unknown": text.num_unknown,
    }
