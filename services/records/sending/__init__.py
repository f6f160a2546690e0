"""Records that were sent: packed under a key that only a password opens, and taken out again."""
