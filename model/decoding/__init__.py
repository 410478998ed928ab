"""Decoding: a network and a prompt become text, token by token, in independent rows."""
