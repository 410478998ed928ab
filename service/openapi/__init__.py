"""What the HTTP interface is, as OpenAPI 3.1 and as a page: of this service, as it is set.

Made of the request models, of the answers' models and of a description for each route; which
routes there are, the application says. Knows nothing of the engine.
"""
