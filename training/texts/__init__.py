"""Readers of the files that people keep texts in: bytes become text with what is known of it."""
