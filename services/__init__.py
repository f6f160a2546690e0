"""The services. Each owns its data and meets the others only on the wire."""
