"""Where a service keeps what nobody may read: sealed under a key of whoever it is about."""
