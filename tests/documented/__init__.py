"""What is printed is run: every command and YAML block of the README, the guides, EXAMPLES and playbook headers."""
