"""What common tests measure, in plain words, and which of them belong together.

The codes are LOINC's (© Regenstrief Institute, used under the LOINC licence). The words are ours:
short, for somebody who is not well, and about what is measured, never about what it means for them.
"""

from dataclasses import dataclass

BLOOD = "Blood counts"
SUGAR = "Blood sugar"
ORGANS = "Liver and kidneys"
SALTS = "Salts and minerals"
GASES = "Blood gases"
FATS = "Blood fats"
THYROID = "Thyroid and hormones"
CLOTTING = "Blood clotting"
MARKERS = "Tumor markers"
HEART = "Heart and inflammation"
VITAMINS = "Iron and vitamins"
URINE = "Urine"
OTHER = "Other tests"
GROUPS = (
    BLOOD, ORGANS, SALTS, GASES, SUGAR, FATS, THYROID, CLOTTING, HEART, VITAMINS, MARKERS, URINE,
    OTHER,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Known:
    """A test that we have words for."""

    group: str
    name: str
    about: str
    place: int = 0


_ENTRIES: tuple[tuple[str, str, str, str], ...] = (
    (BLOOD, "718-7", "Hemoglobin", "Carries oxygen in the blood"),
    (BLOOD, "20509-6", "Hemoglobin", "Carries oxygen in the blood"),
    (BLOOD, "6690-2", "White blood cells", "Fight infection"),
    (BLOOD, "26464-8", "White blood cells", "Fight infection"),
    (BLOOD, "804-5", "White blood cells", "Fight infection"),
    (BLOOD, "751-8", "Neutrophils", "White cells that fight germs first"),
    (BLOOD, "26499-4", "Neutrophils", "White cells that fight germs first"),
    (BLOOD, "770-8", "Neutrophils, share", "How many of the white cells are neutrophils"),
    (BLOOD, "26511-6", "Neutrophils, share", "How many of the white cells are neutrophils"),
    (
        BLOOD,
        "26508-2",
        "Band neutrophils, share",
        "How many of the white cells are young neutrophils",
    ),
    (BLOOD, "731-0", "Lymphocytes", "White cells that remember germs"),
    (BLOOD, "26474-7", "Lymphocytes", "White cells that remember germs"),
    (BLOOD, "736-9", "Lymphocytes, share", "How many of the white cells are lymphocytes"),
    (BLOOD, "26478-8", "Lymphocytes, share", "How many of the white cells are lymphocytes"),
    (BLOOD, "742-7", "Monocytes", "White cells that clear away what is broken"),
    (BLOOD, "5905-5", "Monocytes, share", "How many of the white cells are monocytes"),
    (BLOOD, "26485-3", "Monocytes, share", "How many of the white cells are monocytes"),
    (BLOOD, "711-2", "Eosinophils", "White cells that answer to allergies"),
    (BLOOD, "713-8", "Eosinophils, share", "How many of the white cells are eosinophils"),
    (BLOOD, "26450-7", "Eosinophils, share", "How many of the white cells are eosinophils"),
    (BLOOD, "704-7", "Basophils", "The rarest white cells"),
    (BLOOD, "706-2", "Basophils, share", "How many of the white cells are basophils"),
    (BLOOD, "30180-4", "Basophils, share", "How many of the white cells are basophils"),
    (BLOOD, "777-3", "Platelets", "Help blood to clot"),
    (BLOOD, "26515-7", "Platelets", "Help blood to clot"),
    (BLOOD, "789-8", "Red blood cells", "Carry oxygen through the body"),
    (BLOOD, "26453-1", "Red blood cells", "Carry oxygen through the body"),
    (BLOOD, "4544-3", "Hematocrit", "How much of the blood is red cells"),
    (BLOOD, "20570-8", "Hematocrit", "How much of the blood is red cells"),
    (BLOOD, "31100-1", "Hematocrit", "How much of the blood is red cells"),
    (BLOOD, "787-2", "Red cell size (MCV)", "How large the red cells are"),
    (BLOOD, "30428-7", "Red cell size (MCV)", "How large the red cells are"),
    (BLOOD, "785-6", "Hemoglobin per red cell (MCH)", "How much hemoglobin a red cell has"),
    (BLOOD, "786-4", "Hemoglobin density (MCHC)", "How densely red cells are filled"),
    (BLOOD, "788-0", "Red cell variety (RDW)", "How different red cells are in size"),
    (BLOOD, "21000-5", "Red cell variety (RDW)", "How different red cells are in size"),
    (BLOOD, "30385-9", "Red cell variety (RDW)", "How different red cells are in size"),
    (BLOOD, "19048-8", "Young red cells", "Red cells that are not ripe yet"),
    (BLOOD, "32623-1", "Platelet size (MPV)", "How large the platelets are"),
    (BLOOD, "28542-9", "Platelet size (MPV)", "How large the platelets are"),
    (BLOOD, "32207-3", "Platelet variety (PDW)", "How different platelets are in size"),
    (ORGANS, "1742-6", "ALT", "Shows how the liver is doing"),
    (ORGANS, "1920-8", "AST", "Shows how the liver and muscles are doing"),
    (ORGANS, "6768-6", "Alkaline phosphatase", "Comes from liver and bones"),
    (ORGANS, "2324-2", "GGT", "Shows how the bile ducts are doing"),
    (ORGANS, "1975-2", "Bilirubin", "What is left of old red cells"),
    (ORGANS, "1968-7", "Bilirubin, direct", "Bilirubin that the liver has worked on"),
    (ORGANS, "1971-1", "Bilirubin, indirect", "Bilirubin that the liver has yet to work on"),
    (ORGANS, "1751-7", "Albumin", "The main protein of the blood, made by the liver"),
    (ORGANS, "2885-2", "Protein", "All proteins of the blood together"),
    (ORGANS, "10834-0", "Globulin", "A group of proteins of the blood"),
    (ORGANS, "1841-6", "Ammonia", "Waste that the liver clears away"),
    (ORGANS, "2160-0", "Creatinine", "Shows how the kidneys are doing"),
    (ORGANS, "38483-4", "Creatinine", "Shows how the kidneys are doing"),
    (ORGANS, "3094-0", "Urea nitrogen", "Waste that the kidneys take out"),
    (ORGANS, "6299-2", "Urea nitrogen", "Waste that the kidneys take out"),
    (ORGANS, "33914-3", "Kidney filter rate (eGFR)", "How much blood the kidneys clean"),
    (ORGANS, "62238-1", "Kidney filter rate (eGFR)", "How much blood the kidneys clean"),
    (ORGANS, "98979-8", "Kidney filter rate (eGFR)", "How much blood the kidneys clean"),
    (ORGANS, "3084-1", "Uric acid", "Waste that can settle in joints"),
    (ORGANS, "2532-0", "LDH", "Leaks out where cells are broken"),
    (ORGANS, "3040-3", "Lipase", "Shows how the pancreas is doing"),
    (ORGANS, "1798-8", "Amylase", "Shows how the pancreas is doing"),
    (SALTS, "2951-2", "Sodium", "Keeps water in balance"),
    (SALTS, "2947-0", "Sodium", "Keeps water in balance"),
    (SALTS, "2823-3", "Potassium", "Lets muscles and heart work"),
    (SALTS, "6298-4", "Potassium", "Lets muscles and heart work"),
    (SALTS, "2075-0", "Chloride", "Goes along with sodium"),
    (SALTS, "2069-3", "Chloride", "Goes along with sodium"),
    (SALTS, "2028-9", "Carbon dioxide", "Shows how acid the blood is"),
    (SALTS, "20565-8", "Carbon dioxide", "Shows how acid the blood is"),
    (SALTS, "1959-6", "Bicarbonate", "Keeps the blood from getting too acid"),
    (SALTS, "14627-4", "Bicarbonate", "Keeps the blood from getting too acid"),
    (SALTS, "17861-6", "Calcium", "For bones, muscles and nerves"),
    (SALTS, "49765-1", "Calcium", "For bones, muscles and nerves"),
    (SALTS, "2777-1", "Phosphate", "For bones and energy"),
    (SALTS, "19123-9", "Magnesium", "For muscles and nerves"),
    (SALTS, "33037-3", "Anion gap", "Worked out from the blood's salts"),
    (SALTS, "2692-2", "Osmolality", "How much is dissolved in the blood"),
    (GASES, "11558-4", "pH of the blood", "How acid the blood is"),
    (GASES, "2746-6", "pH of the blood", "How acid the blood is"),
    (GASES, "11556-8", "Oxygen pressure", "How much oxygen the blood took up"),
    (GASES, "11557-6", "Carbon dioxide pressure", "How well breathing clears the blood"),
    (GASES, "20563-3", "Carboxyhemoglobin", "Hemoglobin that carries carbon monoxide"),
    (GASES, "2614-6", "Methemoglobin", "Hemoglobin that can carry no oxygen"),
    (GASES, "2524-7", "Lactate", "Made when cells get little oxygen"),
    (SUGAR, "2345-7", "Glucose", "Sugar in the blood"),
    (SUGAR, "2339-0", "Glucose", "Sugar in the blood"),
    (SUGAR, "1558-6", "Glucose, fasting", "Sugar in the blood before eating"),
    (SUGAR, "4548-4", "Hemoglobin A1c", "Blood sugar over the last three months"),
    (FATS, "2093-3", "Cholesterol", "All blood fats of this kind together"),
    (FATS, "2085-9", "HDL cholesterol", "Carries fat away from the vessels"),
    (FATS, "13457-7", "LDL cholesterol", "Carries fat to the vessels"),
    (FATS, "18262-6", "LDL cholesterol", "Carries fat to the vessels"),
    (FATS, "2089-1", "LDL cholesterol", "Carries fat to the vessels"),
    (FATS, "2571-8", "Triglycerides", "Fat that the body burns or stores"),
    (THYROID, "3016-3", "TSH", "Tells the thyroid to work"),
    (THYROID, "11580-8", "TSH", "Tells the thyroid to work"),
    (THYROID, "3024-7", "Free T4", "A hormone of the thyroid"),
    (THYROID, "3051-0", "Free T3", "A hormone of the thyroid"),
    (THYROID, "32215-6", "Free thyroxine index", "Worked out from hormones of the thyroid"),
    (THYROID, "49220-7", "Prolactin", "A hormone"),
    (THYROID, "19080-1", "hCG", "A hormone"),
    (THYROID, "2986-8", "Testosterone", "A hormone"),
    (CLOTTING, "6301-6", "INR", "How long blood takes to clot, compared"),
    (CLOTTING, "34714-6", "INR", "How long blood takes to clot, compared"),
    (CLOTTING, "5902-2", "Prothrombin time", "How long blood takes to clot"),
    (CLOTTING, "3173-2", "aPTT", "How long blood takes to clot, another way"),
    (CLOTTING, "14979-9", "aPTT", "How long blood takes to clot, another way"),
    (CLOTTING, "3184-9", "Clotting time (ACT)", "How long blood takes to clot, another way"),
    (HEART, "1988-5", "C-reactive protein", "Rises with inflammation"),
    (HEART, "30522-7", "C-reactive protein", "Rises with inflammation"),
    (HEART, "30341-2", "Sedimentation rate", "Rises with inflammation"),
    (HEART, "4537-7", "Sedimentation rate", "Rises with inflammation"),
    (HEART, "89579-7", "Troponin", "Leaks out where heart muscle is hurt"),
    (HEART, "10839-9", "Troponin", "Leaks out where heart muscle is hurt"),
    (HEART, "2157-6", "Creatine kinase", "Leaks out where muscle is hurt"),
    (HEART, "13969-1", "CK-MB", "Leaks out where heart muscle is hurt"),
    (HEART, "33762-6", "NT-proBNP", "Shows how hard the heart works"),
    (HEART, "30934-4", "BNP", "Shows how hard the heart works"),
    (VITAMINS, "2276-4", "Ferritin", "How much iron is stored"),
    (VITAMINS, "2498-4", "Iron", "Iron in the blood"),
    (VITAMINS, "2500-7", "Iron-binding capacity", "How much iron the blood can carry"),
    (VITAMINS, "2132-9", "Vitamin B12", "For blood and nerves"),
    (VITAMINS, "2284-8", "Folate", "For making new cells"),
    (VITAMINS, "1989-3", "Vitamin D", "For bones"),
    (VITAMINS, "62292-8", "Vitamin D", "For bones"),
    (MARKERS, "6875-9", "CA 15-3", "A protein that is followed over time"),
    (MARKERS, "10334-1", "CA 125", "A protein that is followed over time"),
    (MARKERS, "24108-3", "CA 19-9", "A protein that is followed over time"),
    (MARKERS, "2039-6", "CEA", "A protein that is followed over time"),
    (MARKERS, "2857-1", "PSA", "A protein of the prostate"),
    (MARKERS, "1834-1", "AFP", "A protein that is followed over time"),
    (URINE, "5811-5", "Specific gravity of urine", "How much is dissolved in urine"),
    (URINE, "5803-2", "pH of urine", "How acid urine is"),
    (URINE, "5804-0", "Protein in urine", "Usually stays in the blood"),
    (URINE, "5792-7", "Glucose in urine", "Usually stays in the blood"),
    (URINE, "20405-7", "Urobilinogen in urine", "What is left of old red cells"),
    (URINE, "5821-4", "White cells in urine", "White cells, counted through a microscope"),
    (URINE, "13945-1", "Red cells in urine", "Red cells, counted through a microscope"),
    (URINE, "9318-7", "Albumin to creatinine in urine", "Shows how the kidneys are doing"),
    (URINE, "14959-1", "Albumin to creatinine in urine", "Shows how the kidneys are doing"),
    (URINE, "630-4", "Urine culture", "Looks for germs in urine"),
)
CATALOGUE = {
    code: Known(group=group, name=name, about=about, place=place)
    for place, (group, code, name, about) in enumerate(_ENTRIES)
}


def known(system: str, code: str) -> Known | None:
    """Our words for a test, where we have any."""
    return CATALOGUE.get(code) if system == "http://loinc.org" else None


def order(group: str, place: int | None, name: str) -> tuple[int, int, str]:
    """Where a test stands on the page: by group, then as a doctor reads them, then by name."""
    return GROUPS.index(group), len(_ENTRIES) if place is None else place, name.casefold()
