"""What messaging answers and follows: load, decide, save, announce, reply."""

from services.messaging.handlers import (
    announcements,
    attachments,
    drafts,
    mailbox,
    queue,
    sending,
    settings,
)

routers = (
    announcements.router,
    attachments.router,
    drafts.router,
    mailbox.router,
    queue.router,
    sending.router,
    settings.router,
)
