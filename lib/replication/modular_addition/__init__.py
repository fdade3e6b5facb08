"""The networks that add, of section 5.1: trained, mapped, probed."""
