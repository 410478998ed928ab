"""Server: gunicorn with a threaded worker of our own, and the process that it serves."""
