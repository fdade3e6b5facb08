"""Programs that measure the library; each writes a JSON file."""
