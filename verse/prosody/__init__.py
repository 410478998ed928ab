"""Prosody of English: how words are said, stressed and rhymed, and how that is known."""
