"""How the networks of section 5 are trained."""
