"""Each speed and memory budget, measured: `make bench` prints its figure beside a baseline.

Both are taken in one run on one machine, in turns, and the median of several turns is what counts.
"""
