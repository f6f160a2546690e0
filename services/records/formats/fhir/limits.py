"""What one file, one entry and one text may hold; what is over a limit is left out, and said so."""

CHUNK = 256 * 1024
"""Bytes read at a time, and the size up to which a bundle or an entry is parsed at once."""
MAX_ENTRY = 48 * 1024 * 1024
"""Characters of JSON in one entry: a document of 36 MB in base64, and what is said about it."""
MAX_PARTS = 250_000
"""Objects, lists and members in one entry above `CHUNK`; parsed, each takes up to 120 bytes."""
MAX_NESTING = 8
"""Bundles within bundles."""
MAX_ITEMS = 1_000
"""Elements of one list inside a resource, such as components or notes."""
MAX_KIND = 64
"""Characters of a resource's type."""
MAX_NAME = 2_000
"""Characters of a name, a code, a unit, an address of a resource."""
MAX_TEXT = 100_000
"""Characters of a value or a comment."""
MAX_DIGITS = 40
"""Digits of a number, and the power of ten it may reach; beyond, it is shown but not charted."""
MAX_PATIENTS = 100_000
"""Patients in one file."""
MAX_LINKS = 200_000
"""Observations that the reports and panels of one file may name."""
MAX_NAMED = 50_000
"""Practitioners, organizations, specimens, orders, documents and binaries of one file, each."""
MAX_REMEMBERED = 200_000
"""Results of one file that a repetition is recognised among."""
MAX_FAULTS = 100_000
"""Parts that are no JSON or no resource; a file with more is given up from there on."""
MAX_SKIPPED = 1_000_000
"""Brackets and texts of one file passed over to find the ends of its unusable entries."""
MAX_KINDS = 1_000
"""Different lines in the list of what was left out; the rest is counted together."""
