"""Evaluation of checkpoints: cross-entropy of held-out text, and statistics of generated text."""
