"""HTTP server: gunicorn with a request-buffering worker, and the service process that it runs."""
