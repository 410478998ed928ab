"""Composer: writes the lines of a form with a model, the likeliest words that keep it."""
