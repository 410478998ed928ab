"""Inspection of a corpus before training: what was read, cut and left out, and what shows."""
