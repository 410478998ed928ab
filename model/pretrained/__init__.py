"""The checkpoint that ships."""
