"""The data of section 5 and of the reviews."""
