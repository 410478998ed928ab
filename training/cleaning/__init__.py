"""Cleaning of texts: what is no verse is cut out of them, a kind of noise a module."""
