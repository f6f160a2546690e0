"""Every statement identity runs: one function, one statement."""
