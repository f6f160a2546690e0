"""Who may: every service checks the visa of every request by itself, without asking anyone."""
