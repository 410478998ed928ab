"""What the POST routes accept: a module a body. Knows nothing of Flask and of the engine."""
