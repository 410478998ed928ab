"""Models on offer: discovery, loading and replacement of checkpoint folders."""
