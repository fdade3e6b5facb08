"""The network of the reviews' question about vision."""
