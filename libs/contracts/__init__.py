"""What services can be asked, what they refuse, and what they announce."""
