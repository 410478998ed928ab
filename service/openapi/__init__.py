"""OpenAPI 3.1 document of the HTTP API, as this service is set, and the page that shows it.

Made of the request models, of the response models and of a description for each route; which
routes there are, the application says. Knows nothing of the engine.
"""
