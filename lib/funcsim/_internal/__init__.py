"""What the library needs and nobody else should import."""
