"""Engine: continuous batching of requests on one thread. Knows nothing of Flask and HTTP."""
