"""Training package: text becomes a checkpoint, offline. Imports model, never service."""
