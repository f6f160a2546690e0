"""What records can be asked, what it refuses, and what it announces.

Records owns patients, laboratory results, documents and imports. Every request carries a sealed
visa; the patient of a patient's visa is the one in the visa, and staff name the patient besides.
"""
