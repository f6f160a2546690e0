"""Reading files that somebody sent, in processes that can do nothing else."""
