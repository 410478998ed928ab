"""A checkpoint becomes an HTTP stream. Imports model, never training."""
