"""User's cache: the folder of what is kept between runs, such as compiled kernels and checkpoints.

`STROPHE_CACHE` names it, else it is `strophe/` in the user's cache folder. Knows nothing of what
lies in it, and makes nothing.
"""

import os
from pathlib import Path

CACHE_VARIABLE = "STROPHE_CACHE"


def user_cache() -> Path:
    """Path of the user's cache, which need not be there."""
    if named := os.environ.get(CACHE_VARIABLE):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "strophe"
