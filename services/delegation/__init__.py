"""Delegation owns who may act for a patient: grants, and the visas that say so."""
