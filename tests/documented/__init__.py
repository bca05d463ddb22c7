"""What is printed is run: every command and YAML block of README, guides, role READMEs, EXAMPLES and playbook headers."""
