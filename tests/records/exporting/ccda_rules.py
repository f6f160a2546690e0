"""What C-CDA R2.1 demands of the templates that we claim, beyond CDA's own schema.

Each row says where it holds, what has to be true there (XPath), and the demand in words. Written from
the implementation guide (Volume 2, with errata; the Notes templates from the Companion Guide).
"""

from collections.abc import Iterator
from typing import Final, cast

from lxml import etree

_SPACES: Final = {"v3": "urn:hl7-org:v3", "xsi": "http://www.w3.org/2001/XMLSchema-instance"}
_LOINC: Final = "2.16.840.1.113883.6.1"
_EMPTY: Final = (
    ("6.1", "2015-08-01", "48765-2", "Allergies and Intolerances"),
    ("1.1", "2014-06-09", "10160-0", "Medications"),
    ("5.1", "2015-08-01", "11450-4", "Problem"),
    ("3.1", "2015-08-01", "30954-2", "Results"),
    ("17", "2015-08-01", "29762-2", "Social History"),
    ("4.1", "2015-08-01", "8716-3", "Vital Signs"),
)


def _of(kind: str, root: str) -> str:
    return f"//v3:{kind}[v3:templateId/@root='2.16.840.1.113883.10.20.22.{root}']"


_HEADER: Final = "/v3:ClinicalDocument"
_ORGANIZER: Final = _of("organizer", "4.1")
_RESULT: Final = _of("observation", "4.2")
_COMMENT: Final = _of("act", "4.64")
_NOTES: Final = _of("section", "2.65")
_NOTE: Final = _of("act", "4.202")
_STATUS: Final = "contains(' aborted active cancelled completed held suspended ', concat(' ', v3:statusCode/@code, ' '))"

RULES: Final = (
    # US Realm Header (V3)
    (_HEADER, "count(v3:realmCode[@code='US'])=1", "it is of the US realm"),
    (_HEADER, "v3:templateId[@root='2.16.840.1.113883.10.20.22.1.1'][@extension='2015-08-01']", "it says that it has the header"),
    (_HEADER, f"v3:code[@code][@codeSystem='{_LOINC}']", "its type is a LOINC code"),
    (_HEADER, "normalize-space(v3:title)", "it has a title"),
    (_HEADER, "string-length(v3:effectiveTime/@value) >= 12", "its time is to the minute"),
    (_HEADER, "v3:confidentialityCode/@code", "its confidentiality is said"),
    (_HEADER, "v3:languageCode/@code", "its language is said"),
    (f"{_HEADER}/v3:recordTarget/v3:patientRole", "v3:id and v3:addr and v3:telecom", "a patient has a number, an address, a telephone"),
    (f"{_HEADER}/v3:recordTarget/v3:patientRole/v3:patient", "v3:name[v3:given and v3:family]", "a patient has a name"),
    (
        f"{_HEADER}/v3:recordTarget/v3:patientRole/v3:patient",
        "v3:administrativeGenderCode and v3:birthTime and count(v3:raceCode)=1 and count(v3:ethnicGroupCode)=1",
        "what is not known of a patient is said not to be",
    ),
    (f"{_HEADER}/v3:author/v3:assignedAuthor", "v3:id and v3:addr and v3:telecom", "an author can be reached"),
    (f"{_HEADER}/v3:author/v3:assignedAuthor", "count(v3:assignedPerson | v3:assignedAuthoringDevice)=1", "an author is a person or a device"),
    (f"{_HEADER}/v3:author/v3:assignedAuthor/v3:assignedAuthoringDevice", "v3:manufacturerModelName and v3:softwareName", "a device is named"),
    (f"{_HEADER}/v3:custodian//v3:representedCustodianOrganization", "v3:id and v3:name and v3:telecom and v3:addr", "the keeper is known"),
    # Continuity of Care Document (V3)
    (_HEADER, "v3:templateId[@root='2.16.840.1.113883.10.20.22.1.2'][@extension='2015-08-01']", "it says that it is a CCD"),
    (_HEADER, "v3:code/@code='34133-9'", "its type is a summary of care"),
    (_HEADER, "count(v3:documentationOf/v3:serviceEvent[@classCode='PCPR']/v3:effectiveTime[v3:low and v3:high])=1", "it says of what time it is"),
    *(
        (
            _HEADER,
            f"count(//v3:section[v3:templateId[@root='2.16.840.1.113883.10.20.22.2.{root}'][@extension='{extension}']][v3:code/@code='{code}'][v3:title][v3:text])=1",
            f"it has the section {name}",
        )
        for root, extension, code, name in _EMPTY
    ),
    ("//v3:section[not(v3:entry)][v3:templateId]", "@nullFlavor", "a section with nothing in it says so"),
    ("//v3:section", "normalize-space(v3:text)", "every section can be read"),
    # Result Organizer (V3)
    (_ORGANIZER, "@classCode='BATTERY' and @moodCode='EVN'", "it is an event"),
    (_ORGANIZER, "v3:templateId/@extension='2015-08-01' and v3:id and v3:code", "it is numbered and named"),
    (_ORGANIZER, _STATUS, "its status is one of a result's"),
    (_ORGANIZER, "v3:component/v3:observation", "it holds results"),
    (_ORGANIZER, "v3:statusCode/@code!='completed' or not(v3:component/v3:observation/v3:statusCode/@code='active')", "it is not complete before its results are"),
    # Result Observation (V3)
    (_RESULT, "@classCode='OBS' and @moodCode='EVN'", "it is an event"),
    (_RESULT, "v3:templateId/@extension='2015-08-01' and v3:id and v3:code", "it is numbered and named"),
    (_RESULT, _STATUS, "its status is one of a result's"),
    (_RESULT, "count(v3:effectiveTime)=1", "its time is said, or not known"),
    (_RESULT, "count(v3:value)=1", "it has a value, or says why not"),
    (f"{_RESULT}/v3:referenceRange", "count(v3:observationRange)=1", "CONF:1198-7151"),
    (f"{_RESULT}/v3:referenceRange/v3:observationRange", "not(v3:code)", "CONF:1198-7152"),
    (f"{_RESULT}/v3:referenceRange/v3:observationRange", "count(v3:value)=1", "CONF:1198-32175"),
    (f"{_RESULT}/v3:interpretationCode", "@code and @codeSystem='2.16.840.1.113883.5.83'", "a flag is one of HL7's"),
    # Comment Activity
    (_COMMENT, f"v3:code[@code='48767-8'][@codeSystem='{_LOINC}']", "CONF:81-19159"),
    (_COMMENT, "count(v3:text/v3:reference/@value)=1", "CONF:81-15967, 81-15968"),
    # Notes Section and Note Activity
    (_NOTES, "v3:templateId/@extension='2016-11-01' and v3:code and v3:title", "CONF:3250-16891, 3250-16892"),
    (_NOTES, "v3:entry/v3:act", "CONF:3250-16904"),
    (_NOTE, "@classCode='ACT' and @moodCode='EVN' and v3:templateId/@extension='2016-11-01'", "CONF:3250-16899, 3250-16900, 3250-16933"),
    (_NOTE, "not(v3:text/v3:reference/@nullFlavor)", "CONF:3250-16920"),
    (_NOTE, "count(v3:effectiveTime)=1", "CONF:3250-16903"),
    (_NOTE, "not(v3:text/@mediaType) or v3:text/@representation='B64'", "CONF:3250-16912"),
    (_NOTE, "v3:author", "CONF:3250-16913"),
    (_NOTE, "count(v3:statusCode)=1", "CONF:3250-16916"),
    (f"{_NOTE}/v3:reference/v3:externalDocument", "count(v3:id)=1", "CONF:3250-16915"),
    # Author Participation
    *(
        row
        for of in (_NOTE, _RESULT)
        for row in (
            (f"{of}/v3:author", "v3:templateId/@root='2.16.840.1.113883.10.20.22.4.119'", "it says that it is one"),
            (f"{of}/v3:author", "v3:time and v3:assignedAuthor/v3:id", "who wrote it, and when it came"),
        )
    ),
    # CDA R2 itself, where no schema reaches
    ("//v3:value", "@xsi:type", "a value says of which type it is"),
    ("//v3:originalText | //v3:title", "normalize-space(.)", "a text that is there says something"),
)  # fmt: skip


POINTERS: Final = (
    (f"{_RESULT}/v3:text", "it points at where it can be read"),
    (f"{_COMMENT}/v3:text", "CONF:81-15969"),
    (f"{_NOTE}/v3:text", "CONF:3250-16902"),
)
"""What has to point into the narrative."""


def broken(root: etree._Element) -> Iterator[str]:
    """The demands that a document does not meet, and where."""
    for where, test, words in RULES:
        check = etree.XPath(f"boolean({test})", namespaces=_SPACES)
        yield from (f"{one.tag}: {words}" for one in _at(root, where) if not check(one))
    named = {f"#{one.get('ID')}" for one in root.iter() if one.get("ID")}
    for where, words in POINTERS:
        for one in _at(root, where):
            pointer = one.find("v3:reference", _SPACES)
            if pointer is None or str(pointer.get("value")) not in named:
                yield f"{one.tag}: {words}"


def _at(root: etree._Element, where: str) -> list[etree._Element]:
    return cast("list[etree._Element]", root.xpath(where, namespaces=_SPACES))
