"""What identity answers and follows: load, decide, save, announce, reply."""

from services.identity.handlers import (
    acts,
    addresses,
    factors,
    import_keys,
    invitations,
    letters,
    logging_in,
    lost_factors,
    notices,
    passwords,
    practices,
    registration,
    sessions,
    sharing,
    staff,
    standing,
)

routers = (
    practices.router,
    import_keys.router,
    invitations.router,
    registration.router,
    logging_in.router,
    sessions.router,
    staff.router,
    standing.router,
    passwords.router,
    addresses.router,
    letters.router,
    sharing.router,
    acts.router,
    notices.router,
    factors.router,
    lost_factors.router,
)
