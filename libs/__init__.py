"""What every part of CareSpace shares: the contracts, and the way a service runs."""
