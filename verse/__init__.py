"""Verse: poems that keep a form, by the model's own words; imports `model` only."""
