"""`GET /` and `GET /static/<path>`: the page to write verse on, from `service/web/static`.

Both routes are public: the page itself asks for a key where one is needed.

The page names its files below their version (`/static/<version>/main.js`), which browsers keep for
good: a later visit asks for the page alone, and no page ever runs on files of two versions, since
modules import one another by relative paths. Another version's files are not found.
"""

from pathlib import Path

from flask import Blueprint, Response

from service.access.route_flags import public
from service.web.static_files import StaticFile, read_folder, revalidated, sent, version_of

STATIC = Path(__file__).parent / "static"


def page_blueprint() -> Blueprint:
    """Blueprint of the page and of the files it is made of."""
    blueprint = Blueprint("page", __name__)
    files = read_folder(STATIC)
    version = version_of(files)
    start = versioned(files["index.html"], version)

    @blueprint.get("/")
    @public
    def page() -> Response:
        return revalidated(start)

    @blueprint.get("/static/<path:name>")
    @public
    def part(name: str) -> Response:
        prefix, _, rest = name.partition("/")
        if prefix == version:
            return sent(files, rest, is_versioned=True)
        return sent(files, name)

    return blueprint


def versioned(page: StaticFile, version: str) -> StaticFile:
    """The page with its files' addresses below their version."""
    html = page.content.replace(b'"/static/', f'"/static/{version}/'.encode())
    return StaticFile(html, page.content_type)
