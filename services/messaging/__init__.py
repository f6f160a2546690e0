"""Messaging owns each patient's mailbox at a practice."""
