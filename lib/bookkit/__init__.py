"""The machinery of the book: run notebooks, stage, build and check the site.

Knows nothing of the science. Each command is one module; ``python -m bookkit`` lists them.
"""
