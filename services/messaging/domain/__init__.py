"""The rules of messages. Nothing here waits, writes, or reads a clock."""
