"""Stores: checkpoints of S3, Google's storage, the Hub or a folder, fetched into the cache."""
