"""`GET /` and `GET /static/<name>`: the page, as it lies in `service/static`.

Both are public: the page itself asks for a key where one is needed.
"""

from pathlib import Path

from flask import Blueprint, Response

from service.access.route_flags import public
from service.web.static_files import read_folder, sent

STATIC = Path(__file__).parent / "static"


def page_blueprint() -> Blueprint:
    """The two routes."""
    blueprint = Blueprint("page", __name__)
    files = read_folder(STATIC)

    @blueprint.get("/")
    @public
    def page() -> Response:
        return sent(files, "index.html")

    @blueprint.get("/static/<name>")
    @public
    def part(name: str) -> Response:
        return sent(files, name)

    return blueprint
