"""Model: network, tokenizer, checkpoint and decoding. Knows nothing of HTTP and of training."""
