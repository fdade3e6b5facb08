"""What holds for all tests."""

import signal

# A shell makes what it starts in the background deaf to Ctrl-C, and deafness is inherited. Tests that
# interrupt a process of theirs need it to hear.
signal.signal(signal.SIGINT, signal.default_int_handler)
