"""Counts in words: `1 character`, `1,204 characters`. Knows nothing of what is counted."""


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """Count and noun; the plural is the noun with an s unless it is given."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"
