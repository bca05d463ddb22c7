"""``make bench``: speed and memory against the simulator. It measures and tells; nothing here is a test."""
