"""What identity can be asked, what it refuses, and what it announces.

Identity owns practices, accounts, credentials, sessions, invitations and staff seats.
Requests about one's own account carry the session's hash as the proof of who asks, never an id.
"""
