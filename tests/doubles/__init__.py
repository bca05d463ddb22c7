"""Stand-ins for what stores write to, built from public API references. None of them is the real thing."""
