"""The rules of getting in. Nothing here waits, writes, or reads a clock."""
