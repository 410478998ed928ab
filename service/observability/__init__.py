"""Observability: logs, metrics, spans and the ops listener."""
