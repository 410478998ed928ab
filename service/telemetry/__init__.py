"""What the service tells of itself: counts for Prometheus, spans, a log line a request."""
