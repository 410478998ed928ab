"""Commands of `python -m training`, a module each: its flags, and what it prints.

Every module has `add(commands)`, which declares its flags, and knows nothing of the others.
"""
