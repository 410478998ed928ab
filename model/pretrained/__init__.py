"""Pretrained checkpoints that ship with the package: a folder each, and which is the default.

Knows the folders and nothing of what is in them.
"""

from pathlib import Path

FOLDER = Path(__path__[0])
NAMES = ("verse", "songs", "tang")  # the default first
DEFAULT = FOLDER / NAMES[0]
