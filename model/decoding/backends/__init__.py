"""Decode backends: how one step of a network is computed, with int8 or float32 arithmetic."""
