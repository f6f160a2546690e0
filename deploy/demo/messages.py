"""The demo patient and her nurse write to each other, each in a browser of their own."""

import re
from contextlib import suppress

import pyotp

from deploy.demo.browser import Browser
from deploy.demo.family import RECORD, logs_in
from deploy.demo.people import PASSWORD, PATIENTS, STAFF
from deploy.problem import Problem

STEP = 30
"""Seconds of a one-time code."""
MESSAGE = re.compile(r'href="(/staff/messages/[0-9a-f-]{36})"')
TIRED = """\
Hello. I feel more tired than after the last one, and sleep a lot.

Is that normal, and can I still have my infusion next week?"""
NOT_TOO_TIRED = """\
Dear Rosa,

Thank you for writing. Many people feel this after six cycles. Your blood counts from this week are
fine for the infusion.

Please call us if you feel dizzy or short of breath.

Nora"""
SORE = """\
Since Friday I have two sore spots on my tongue.

What can I do before they get worse?"""
ASKED = (
    ("health", "Tired after cycle 6", TIRED),
    ("rx", "Ondansetron refill", "I have two tablets left. Can you send more to my pharmacy?"),
    ("health", "Mouth sores", SORE),
)
ANSWERS = {
    "Tired after cycle 6": NOT_TOO_TIRED,
    "Ondansetron refill": "Your refill is on its way. It should be at your pharmacy by noon.",
}
TOLD = (
    "Your infusion on Monday starts at 9:15",
    "Please come a little earlier, and eat something light before. Parking is free on level 2.",
)


async def write(url: str, secret: str, *, now: float) -> int:
    """Both sides write; the step of the one-time code that was used up."""
    rosa = PATIENTS[0]
    async with Browser(url) as hers, Browser(url) as at_work:
        await logs_in(hers, rosa)
        step = await _comes_in(at_work, secret, now=now)
        health = RECORD.search(await hers.see("/"))
        assert health  # noqa: S101  (her own page has links to itself)
        written = await hers.see(f"{health[0]}/messages/sent")
        for category, subject, body in ASKED:
            if subject in written:  # before somebody interrupted us
                continue
            fields = {"category": category, "subject": subject, "body": body, "do": "send"}
            await hers.send(f"{health[0]}/messages/compose", fields)
        for case in MESSAGE.findall(await at_work.see("/staff/messages")):
            page = await at_work.see(case)
            for subject, words in ANSWERS.items():
                if f"<h1>{subject}</h1>" in page:
                    await at_work.send(case, {"body": words, "do": "send"}, to=f"{case}/answer")
        subject, body = TOLD
        if subject in await hers.see(f"{health[0]}/messages"):
            return step
        fields = {"category": "health", "subject": subject, "body": body, "do": "send"}
        patient = health[0].removeprefix("/p/")
        await at_work.send(f"/staff/patients/{patient}/messages/new", fields)
    return step


async def _comes_in(nurse: Browser, secret: str, *, now: float) -> int:
    """With a one-time code that nobody has used: each step's counts once."""
    for step in range(int(now) // STEP - 1, int(now) // STEP + 2):
        code = pyotp.TOTP(secret).at(step * STEP)
        staff = {"email": STAFF[0].email, "password": PASSWORD, "code": code}
        with suppress(Problem):
            await nurse.send("/staff/login", staff)
            return step
    raise Problem("The demo's nurse could not log in.")
