# How Sphinx renders the documentation for `make docs`. The pages themselves come from antsibull-docs.

from __future__ import annotations

project = "tokensmith.bitbucket"
author = "Tokensmith"
html_title = "tokensmith.bitbucket"

extensions = ["sphinx_antsibull_ext"]
pygments_style = "ansible"
highlight_language = "YAML+Jinja"
default_role = "any"

html_theme = "sphinx_ansible_theme"
html_show_sphinx = False
html_use_index = False
html_copy_source = False

# Labels of Ansible's own documentation: to resolve them would need its site at build time.
suppress_warnings = ["ref.any", "ref.ref"]
