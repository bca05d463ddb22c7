"""``make demo``: the real playbook on a simulated Bitbucket, from the first issue to the end of a rotation."""
