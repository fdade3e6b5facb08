"""Measures scored on networks whose boundaries are known: a test of the claims of section 5."""
