"""`GET /`, `/static/<path>`, `/worker.js`: the page to write verse on, from `service/web/static`.

The routes are public: the page itself asks for a key where one is needed.

The page names its files below their version (`/static/<version>/main.js`), which browsers keep for
good: a later visit asks for the page alone, and no page ever runs on files of two versions, since
modules import one another by relative paths. Another version's files are not found.

The worker keeps one version of the page for times without a network. It may keep all of the page
only from the root, so it has a route of its own.
"""

import json
from collections.abc import Mapping
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
    keeper = worker(files, version)

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

    @blueprint.get("/worker.js")
    @public
    def page_worker() -> Response:
        return revalidated(keeper)

    return blueprint


def worker(files: Mapping[str, StaticFile], version: str) -> StaticFile:
    """The page's service worker, told the version that it keeps and the paths of its files."""
    script = files["worker.js"]
    parts = [f"/static/{version}/{name}" for name in sorted(files) if name != "index.html"]
    told = f"const VERSION = {json.dumps(version)};\nconst PARTS = {json.dumps(parts)};\n"
    return StaticFile(told.encode() + script.content, script.content_type)


def versioned(page: StaticFile, version: str) -> StaticFile:
    """The page with its files' addresses below their version."""
    html = page.content.replace(b'"/static/', f'"/static/{version}/'.encode())
    return StaticFile(html, page.content_type)
