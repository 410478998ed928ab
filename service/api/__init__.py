"""HTTP API: a module a route, request bodies, responses, streaming and jobs."""
