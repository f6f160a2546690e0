"""What messaging can be asked, what it refuses, and what it announces.

Messaging owns the conversations of patients with their care team: messages, drafts, attachments,
who has read what, and the practice's queue.
"""
