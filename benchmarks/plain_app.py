"""Plain Flask app that people write first to serve such a model: the loop runs in each request.

Run by bench_service.py under gunicorn as `plain_app:make_app(folder, threads)`.
"""

from collections.abc import Iterator
from pathlib import Path

import torch
from baselines import PlainGenerator, plain_copy
from flask import Flask, Response, request

from model import checkpoint as checkpoints


def make_app(folder: str, threads: int) -> Flask:
    """Make the app: requests share the model, and each has a state of its own."""
    torch.set_num_threads(threads)
    checkpoint = checkpoints.load(Path(folder))
    model, tokenizer = plain_copy(checkpoint.network), checkpoint.tokenizer
    app = Flask(__name__)

    @app.post("/v1/generate")
    def generate() -> Response:
        wanted = request.get_json(force=True)["max_tokens"]

        def stream() -> Iterator[str]:
            generator = PlainGenerator(model)
            for _ in range(wanted):
                yield tokenizer.token_text(generator.step()[0])

        return Response(stream(), content_type="text/plain; charset=utf-8")

    @app.get("/readyz")
    def ready() -> str:
        return "ready"

    return app
