"""The networks of section 5, and those that the reviews ask for."""
