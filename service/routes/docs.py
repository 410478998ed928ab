"""`GET /openapi.json` and `GET /docs`: what the interface is, for programs and for people.

Both are public: they tell how to call, and open nothing. Each is made once, when it is first
asked for, since every route is there then.
"""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, abort, current_app, render_template, request

from service.access.marks import public
from service.openapi.document import document_of
from service.openapi.page import page_of
from service.settings import Settings

FOLDER = Path(__file__).parent.parent / "openapi" / "static"
ASSETS = {"page.css": "text/css", "page.js": "text/javascript"}
SAFE = {
    # Nothing from elsewhere, nothing in the page itself that runs, and in no frame.
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}


def docs_blueprint(settings: Settings) -> Blueprint:
    """The document, the page, and what the page is made of."""
    blueprint = Blueprint("docs", __name__, template_folder=str(FOLDER))

    @cache
    def document() -> dict[str, Any]:
        return document_of(current_app, settings)

    @cache
    def document_json() -> bytes:
        return json.dumps(document(), ensure_ascii=False, separators=(",", ":")).encode()

    @cache
    def page_html() -> bytes:
        return render_template("page.html", **page_of(document())).encode()

    @blueprint.get("/openapi.json")
    @public
    def show_document() -> Response:
        return revalidated(document_json(), "application/json")

    # Strict: the page's links are relative, so that it works below a proxy's prefix too.
    @blueprint.get("/docs", strict_slashes=True)
    @public
    def show_page() -> Response:
        return revalidated(page_html(), "text/html; charset=utf-8")

    @blueprint.get("/docs/<asset>")
    @public
    def show_asset(asset: str) -> Response:
        if asset not in ASSETS:
            abort(404)
        content = (FOLDER / asset).read_bytes()
        return revalidated(content, f"{ASSETS[asset]}; charset=utf-8")

    return blueprint


def revalidated(content: bytes, content_type: str) -> Response:
    """An answer that clients may keep, and ask whether it is still the same."""
    response = Response(content, content_type=content_type)
    response.headers.update(SAFE)
    response.headers["Cache-Control"] = "no-cache"
    response.set_etag(hashlib.sha256(content).hexdigest()[:32])
    response.make_conditional(request)
    return response
