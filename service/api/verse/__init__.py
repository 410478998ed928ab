"""Routes of verse in forms: poems, analysis, rhymes and the forms there are."""
