"""Optimization: one weight update, from windows of ids to new weights."""
