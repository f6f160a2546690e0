"""A clinical document as a safe, readable piece of HTML."""

from services.records.formats.cda_page.page import MAX_HTML, render

__all__ = ["MAX_HTML", "render"]
