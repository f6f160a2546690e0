"""What messaging tells of for the activity log of a patient's record."""

from libs.contracts.activity import Acted


class MessagingActed(Acted):
    """Somebody read or wrote a message, or took a file of one."""

    subject = "event.messaging.acted"
