"""Networks whose boundaries of function are known, of eight families: a test of claims C33 and C36."""
