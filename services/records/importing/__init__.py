"""What is done with a file that was sent to be read."""
