"""Corpus that ships with Strophe: an anthology of original poems and songs."""
