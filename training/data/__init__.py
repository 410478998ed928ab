"""Training data: texts become documents, a vocabulary, ids on disk, and streams of windows."""
