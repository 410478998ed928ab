"""`GET /` and `GET /static/<name>`: the page, as it lies in `service/static`.

Read once, so that no path is ever made of what a client sends. The page asks nothing of other
hosts, and the policy sent with it has browsers refuse whatever is not a file of ours.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Response, abort, request

from service.access.marks import public

STATIC = Path(__file__).parent.parent / "static"
INDEX = "index.html"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",  # asked for each time, and answered by 304 while it is the same
}


@dataclass(frozen=True, slots=True)
class _File:
    content: bytes
    content_type: str
    etag: str

    @classmethod
    def read(cls, path: Path) -> "_File":
        content = path.read_bytes()
        return cls(content, TYPES[path.suffix], hashlib.sha256(content).hexdigest()[:32])

    def answer(self) -> Response:
        response = Response(self.content, content_type=self.content_type, headers=HEADERS)
        response.set_etag(self.etag)
        response.make_conditional(request)
        return response


def page_blueprint() -> Blueprint:
    """The two routes. Both are open: the page itself asks for a key where one is needed."""
    blueprint = Blueprint("page", __name__)
    files = {path.name: _File.read(path) for path in STATIC.iterdir() if path.suffix in TYPES}

    @blueprint.get("/")
    @public
    def page() -> Response:
        return files[INDEX].answer()

    @blueprint.get("/static/<name>")
    @public
    def part(name: str) -> Response:
        if name not in files:
            abort(404)
        return files[name].answer()

    return blueprint
