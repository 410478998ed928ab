"""JSON as it leaves the service: compact, in UTF-8 as it is, and never NaN or Infinity."""

import json


def json_text(content: object) -> str:
    """One line. Raises ValueError for what JSON has no number for."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
