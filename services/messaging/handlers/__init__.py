"""What messaging answers and follows: load, decide, save, announce, reply."""

from services.messaging.handlers import (
    attachments,
    drafts,
    mailbox,
    queue,
    sending,
    settings,
)

routers = (
    attachments.router,
    drafts.router,
    mailbox.router,
    queue.router,
    sending.router,
    settings.router,
)
