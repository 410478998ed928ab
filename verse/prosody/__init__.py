"""Prosody of English words and lines: pronunciations, stresses, rhymes, and where each comes from."""
