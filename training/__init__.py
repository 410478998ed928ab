"""Text becomes a checkpoint. Imports model, never service."""
