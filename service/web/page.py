"""`GET /` and `GET /static/<path>`: the page to write verse on, from `service/web/static`.

Both routes are public: the page itself asks for a key where one is needed.
"""

from pathlib import Path

from flask import Blueprint, Response

from service.access.route_flags import public
from service.web.static_files import read_folder, sent

STATIC = Path(__file__).parent / "static"


def page_blueprint() -> Blueprint:
    """Blueprint of the page and of the files it is made of."""
    blueprint = Blueprint("page", __name__)
    files = read_folder(STATIC)

    @blueprint.get("/")
    @public
    def page() -> Response:
        return sent(files, "index.html")

    @blueprint.get("/static/<path:name>")
    @public
    def part(name: str) -> Response:
        return sent(files, name)

    return blueprint
