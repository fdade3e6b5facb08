"""How the networks of the paper are trained."""
