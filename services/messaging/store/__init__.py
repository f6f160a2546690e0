"""Every statement messaging runs: one function, one statement."""
