"""Requests become text on one thread: continuous batching. Knows nothing of Flask or HTTP."""
