"""A checkpoint and a prompt become text. Knows torch; knows nothing of HTTP or of training."""
