"""Timeline of a drain: when, after SIGTERM, texts, connections and the process are ended.

    SIGTERM                 new requests are refused, those in the queue end, idle connections close
    engine_deadline_s       texts that still run are ended, each with an error event
    connections_aborted_s   answers that their clients have not taken by then are cut off
    killed_s                gunicorn's master kills the worker, if it is still there

A drain in which everything ends sooner is over sooner. Knows nothing of who acts at these moments:
the engine, the worker and gunicorn's master each take theirs from here.
"""

import math
from dataclasses import dataclass
from typing import Self

from service.timeouts import DRAIN_EXIT_S, DRAIN_LAST_WRITES_S


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainTimeline:
    """Moments of a drain in seconds after SIGTERM, each later than the one before."""

    engine_deadline_s: float
    connections_aborted_s: float
    killed_s: int

    @classmethod
    def of(cls, grace_s: float) -> Self:
        """Timeline within a grace time of at least 1 second; a short one is shared out."""
        return cls(
            engine_deadline_s=max(grace_s - DRAIN_LAST_WRITES_S, grace_s * 0.5),
            connections_aborted_s=max(grace_s - DRAIN_EXIT_S, grace_s * 0.75),
            killed_s=math.ceil(grace_s),  # gunicorn takes whole seconds
        )
