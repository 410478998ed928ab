"""Address of a store, such as `s3://bucket/folder`: checked, and opened by fsspec.

Credentials are those that each store's own library finds in the environment; an address that holds
some is refused, since addresses are logged.
"""

import os
import re
from importlib.util import find_spec
from typing import Any

import fsspec
from fsspec import AbstractFileSystem

from model.errors import ModelError, shortened

SEPARATOR = "://"
# Scheme -> the package that reads it, which is the extra of the scheme's name.
PACKAGES = {"s3": "s3fs", "gs": "gcsfs", "hf": "huggingface_hub", "file": None}
CREDENTIALS = re.compile(r"[^/@]*:[^/@]*@")  # before the first slash; `@` alone is a revision
SECRET = re.compile(r"SECRET|TOKEN|PASSWORD|ACCESS_KEY|CREDENTIALS", re.IGNORECASE)
MAX_REASON = 300
CONNECT_S, READ_S, ATTEMPTS = 5, 30, 2  # of a request to S3


class StoreError(ModelError):
    """Raised where a store, or a checkpoint in it, cannot be read; the message says why."""


def is_address(text: str) -> bool:
    """Address of a store: True where `text` is one, and no folder's path."""
    return SEPARATOR in text


def require_address(address: str) -> None:
    """Check an address without asking the store. Raises StoreError, which shows no credentials."""
    scheme, _, path = address.partition(SEPARATOR)
    if scheme not in PACKAGES:
        known = ", ".join(each + SEPARATOR for each in PACKAGES)
        raise StoreError(f"{shortened(scheme + SEPARATOR)} is no store: there are {known}")
    if CREDENTIALS.match(path):
        raise StoreError(f"{scheme}{SEPARATOR} must hold no password, the environment may")
    if not path.strip("/"):
        raise StoreError(f"{address} names no folder: such as {scheme}{SEPARATOR}poems/checkpoints")
    package = PACKAGES[scheme]
    if package is not None and find_spec(package) is None:
        raise StoreError(f"{scheme}{SEPARATOR} needs {package}: pip install 'strophe[{scheme}]'")


def open_store(address: str) -> tuple[AbstractFileSystem, str]:
    """File system of an address, and the path in it. Raises StoreError."""
    require_address(address)
    scheme = address.partition(SEPARATOR)[0]
    try:
        filesystem = fsspec.filesystem(
            scheme, skip_instance_cache=True, use_listings_cache=False, **_options(scheme)
        )
    except Exception as error:  # whatever a store's library raises
        raise StoreError(f"{address}: {reason_of(error)}") from error
    return filesystem, str(filesystem._strip_protocol(address)).rstrip("/")  # noqa: SLF001


def _options(scheme: str) -> dict[str, Any]:
    if scheme == "s3":
        retries = {"max_attempts": ATTEMPTS}
        limits = {"connect_timeout": CONNECT_S, "read_timeout": READ_S, "retries": retries}
        return {"config_kwargs": limits}
    if scheme == "hf":
        return {"endpoint": os.environ.get("HF_ENDPOINT") or None}
    return {}


def reason_of(error: Exception) -> str:
    """Reason of an error in one line, without what the environment holds of secrets."""
    text = " ".join(str(error).split()) or type(error).__name__
    for name, value in os.environ.items():
        if SECRET.search(name) and len(value) >= 4:
            text = text.replace(value, "...")
    kind = "" if isinstance(error, OSError) else f"{type(error).__name__}: "
    return f"{kind}{text}"[:MAX_REASON]
