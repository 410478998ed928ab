"""Static files for browsers, read once, sent with a strict content security policy (CSP).

A folder's files are held by their paths below it, so no path is ever made of what a client sends.
The pages ask nothing of other hosts, and the policy has browsers refuse what is not a file of ours.
"""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flask import Response, abort, request

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
}
STRICT = {
    # Nothing from elsewhere, nothing in a page itself that runs, and in no frame.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' data:; worker-src 'self'; manifest-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",  # asked for each time, and answered by 304 while it is the same
}
IMMUTABLE = "public, max-age=31536000, immutable"  # of an address that has a version


@dataclass(frozen=True, slots=True)
class StaticFile:
    """Content that browsers read, with its type, as it is and compressed."""

    content: bytes
    content_type: str
    gzipped: bytes = field(init=False, repr=False)
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        """Compress once what is sent often; no time of day goes into the header (`mtime`)."""
        object.__setattr__(self, "gzipped", gzip.compress(self.content, mtime=0))
        object.__setattr__(self, "digest", hashlib.sha256(self.content).hexdigest()[:32])


def read_folder(folder: Path) -> Mapping[str, StaticFile]:
    """Files below `folder` that browsers read, by path (`see/see.js`)."""
    return {
        path.relative_to(folder).as_posix(): StaticFile(path.read_bytes(), TYPES[path.suffix])
        for path in folder.rglob("*")
        if path.suffix in TYPES
    }


def version_of(files: Mapping[str, StaticFile]) -> str:
    """Digest of all `files`: another one as soon as any of them is another."""
    digests = "".join(f"{name} {files[name].digest}\n" for name in sorted(files))
    return hashlib.sha256(digests.encode()).hexdigest()[:12]


def sent(files: Mapping[str, StaticFile], name: str, *, is_versioned: bool = False) -> Response:
    """Response with one of `files`, or 404; for good where its address has a version."""
    if name not in files:
        abort(404)
    response = revalidated(files[name])
    if is_versioned:
        response.headers["Cache-Control"] = IMMUTABLE
    return response


def revalidated(file: StaticFile) -> Response:
    """Response that clients may cache, and revalidate by its ETag; gzipped where they take that.

    Each form has an ETag of its own: a cache between must not give one for the other.
    """
    is_gzipped = request.accept_encodings.quality("gzip") > 0
    response = Response(file.gzipped if is_gzipped else file.content, headers=STRICT)
    response.content_type = file.content_type
    response.vary.add("Accept-Encoding")
    if is_gzipped:
        response.content_encoding = "gzip"
    response.set_etag(f"{file.digest}-gzip" if is_gzipped else file.digest)
    response.make_conditional(request)
    return response
