"""Records owns patients' charts: who they are, laboratory results, documents, imports."""
