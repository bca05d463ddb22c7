"""Nothing leaks: every module, role and playbook, when it works and when it fails, as talkative as Ansible gets."""
