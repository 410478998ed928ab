"""Commands of `python -m verse`, a module each: it adds its flags to a parser, and runs."""
