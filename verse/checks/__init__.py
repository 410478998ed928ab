"""Checks of finished verse: how lines are said, scanned and rhymed, and whether as asked."""
