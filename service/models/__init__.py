"""Models on offer: checkpoint discovery, loading and replacement."""
