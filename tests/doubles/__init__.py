"""Stand-ins for what stores write to, and for AWX, built from public references. None of them is the real thing."""
