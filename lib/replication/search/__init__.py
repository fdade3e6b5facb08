"""The search for the best coupling against its peers (section 3.2 and the reviewers' question of cost)."""
