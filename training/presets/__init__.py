"""Presets of training: named configurations, one TOML file each."""
