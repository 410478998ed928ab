"""Static files for browsers, read once, sent with a strict content security policy (CSP).

A folder's files are held by their paths below it, so no path is ever made of what a client sends.
The pages ask nothing of other hosts, and the policy has browsers refuse what is not a file of ours.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from flask import Response, abort, request

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
}
STRICT = {
    # Nothing from elsewhere, nothing in a page itself that runs, and in no frame.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",  # asked for each time, and answered by 304 while it is the same
}


def read_folder(folder: Path) -> Mapping[str, bytes]:
    """Contents of the files below `folder` that browsers read, by path (`see/see.js`)."""
    paths = (path for path in folder.rglob("*") if path.suffix in TYPES)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def sent(files: Mapping[str, bytes], name: str) -> Response:
    """Response with one of `files`, or 404."""
    if name not in files:
        abort(404)
    return revalidated(files[name], TYPES[Path(name).suffix])


def revalidated(content: bytes, content_type: str) -> Response:
    """Response that clients may cache, and revalidate by its ETag."""
    response = Response(content, content_type=content_type, headers=STRICT)
    response.set_etag(hashlib.sha256(content).hexdigest()[:32])
    response.make_conditional(request)
    return response
