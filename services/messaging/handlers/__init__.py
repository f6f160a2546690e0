"""What messaging answers and follows: load, decide, save, announce, reply."""

from services.messaging.handlers import (
    announcements,
    attachments,
    correspondents,
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
    correspondents.router,
    drafts.router,
    letters.router,
    mailbox.router,
    queue.router,
    sending.router,
    settings.router,
)
