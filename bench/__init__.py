"""What is promised of speed, measured: each figure beside a baseline of the same run."""
