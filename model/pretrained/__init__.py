"""Pretrained checkpoint that ships with the package, in the folder `verse`."""
