"""Copies: what of a text stands word for word in the text that a model was trained on."""
