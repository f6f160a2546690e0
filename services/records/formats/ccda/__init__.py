"""Clinical documents (CDA): C-CDA R1.1 to R2.1, C32, laboratory and case reports, fragments."""

from services.records.formats.ccda.reading import read

__all__ = ["read"]
