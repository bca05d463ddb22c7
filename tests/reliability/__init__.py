"""What must hold under every fault: crashes, lost answers, failing stores, runs at once, hostile networks."""
