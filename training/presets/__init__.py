"""Named starting points for training, one TOML file each."""
