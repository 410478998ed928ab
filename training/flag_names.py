"""Flag names: which flag of the command line a field is given by. Knows nothing of the fields."""

FLAGS = {"init_from": "--from"}  # where it is not the field's name: `from` is Python's own


def flag_of(name: str) -> str:
    """Flag of a field: `--hidden-size` of hidden_size."""
    return FLAGS.get(name, f"--{name.replace('_', '-')}")
