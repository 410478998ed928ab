"""`GET /openapi.json` and `GET /docs`: the OpenAPI document, and the page that shows it.

Both are public: they tell how to call, and open nothing. Each is made once, when it is first
asked for, since every route is there then.
"""

from functools import cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, current_app, render_template

from service.access.route_flags import public
from service.api.json_text import json_text
from service.openapi.docs_page import page_variables
from service.openapi.document import document_of
from service.settings import Settings
from service.web.static_files import TYPES, StaticFile, read_folder, revalidated, sent

FOLDER = Path(__file__).parent / "static"
TEMPLATE = "page.html"


def docs_blueprint(settings: Settings) -> Blueprint:
    """Blueprint of the document, the page, and the page's files."""
    blueprint = Blueprint("docs", __name__, template_folder=str(FOLDER))

    assets = {name: file for name, file in read_folder(FOLDER).items() if name != TEMPLATE}

    @cache
    def document() -> dict[str, Any]:
        return document_of(current_app, settings)

    @cache
    def document_file() -> StaticFile:
        return StaticFile(json_text(document()).encode(), "application/json")

    @cache
    def page_file() -> StaticFile:
        html = render_template(TEMPLATE, **page_variables(document()))
        return StaticFile(html.encode(), TYPES[".html"])

    @blueprint.get("/openapi.json")
    @public
    def show_document() -> Response:
        return revalidated(document_file())

    # Strict: the page's links are relative, so that it works below a proxy's prefix too.
    @blueprint.get("/docs", strict_slashes=True)
    @public
    def show_page() -> Response:
        return revalidated(page_file())

    @blueprint.get("/docs/<asset>")
    @public
    def show_asset(asset: str) -> Response:
        return sent(assets, asset)

    return blueprint
