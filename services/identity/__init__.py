"""Identity owns practices, accounts, credentials, sessions, invitations and staff seats."""
