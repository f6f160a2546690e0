"""What messaging answers and follows: load, decide, save, announce, reply."""

from services.messaging.handlers import (
    announcements,
    attachments,
    drafts,
    letters,
    mailbox,
    queue,
    sending,
    settings,
)

routers = (
    announcements.router,
    attachments.router,
    drafts.router,
    letters.router,
    mailbox.router,
    queue.router,
    sending.router,
    settings.router,
)
