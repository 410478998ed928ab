"""Service: serves checkpoints over HTTP as a stream of text. Imports model, never training."""
