"""Two practices with a few patients each, so that everything can be seen at once.

None of these people exist. What they have is brought in the way that real data are: by
invitation and registration, and by import.
"""
