"""Who may call the service, from which pages, how often and how much at once.

Hooks around the routes; knows nothing of models and of the engine.
"""
