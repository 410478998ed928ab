"""Training data: texts become documents, a vocabulary, ids on disk, and batches of windows."""
