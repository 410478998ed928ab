"""Access control: API keys, rate and concurrency limits, CORS.

Hooks around the routes; knows nothing of models and of the engine.
"""
