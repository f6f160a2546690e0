"""Everything of an installation as it was at one moment, sealed in a folder, and back again."""
