# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  homes:
    description:
      - Home directories to search. A V(~) is the home of the user that the module runs as, V(~alice) that of another
        user, and a pattern such as V(/home/*) is every directory that matches it.
      - Each is searched for C(.git-credentials), C(.config/git/credentials), C(.netrc), C(.gitconfig) and
        C(.config/git/config), and for what these name with C(include.path), C(includeIf), or a C(credential.helper)
        that runs C(git credential-store --file), as long as that is in the same home. Its command may have C($HOME),
        C(~) and quotes. A path that only a shell could tell is listed as not searched.
    type: list
    elements: path
    default: ["~"]
  search_paths:
    description:
      - Directories below which the configuration of every Git repository is searched, also that of bare repositories,
        worktrees and submodules. Symbolic links to directories are not followed, nor are C(/proc), C(/sys), C(/dev) and
        C(/run) entered.
    type: list
    elements: path
    default: []
  search_depth:
    description:
      - How many directories deep to look for repositories below each of O(search_paths).
    type: int
    default: 6
  paths:
    description:
      - Further files to search. Their format is told by their names; in a file with any other name secrets are found by
        their shape, and as the password of a URL.
    type: list
    elements: path
    default: []
  permissions:
    description:
      - The permissions that the app passwords had, such as V(repository:write). The scopes that an API token needs for
        the same are then returned. No scope implies another.
      - Atlassian published no such table. Rows that say derived come from operations that name both vocabularies; those
        that say inferred from what the words mean. Each scope ends in C(:bitbucket), which is left out here.
      - V(email) becomes C(read:user); derived.
      - V(account) becomes C(read:user), C(read:workspace); derived.
      - V(account:write) becomes C(read:ssh-key), C(write:ssh-key), C(delete:ssh-key), C(read:gpg-key),
        C(write:gpg-key), C(delete:gpg-key); derived.
      - V(team) becomes C(read:workspace); inferred.
      - V(team:write) becomes C(admin:workspace); inferred.
      - V(project) becomes C(read:project), C(read:repository); derived.
      - V(project:admin) becomes C(admin:project), C(read:project); derived.
      - V(repository) becomes C(read:repository); derived.
      - V(repository:write) becomes C(read:repository), C(write:repository); derived.
      - V(repository:admin) becomes C(admin:repository), C(read:repository); derived.
      - V(repository:delete) becomes C(delete:repository); derived.
      - V(pullrequest) becomes C(read:pullrequest), C(read:repository); derived.
      - V(pullrequest:write) becomes C(read:pullrequest), C(write:pullrequest), C(read:repository), C(write:repository);
        derived.
      - V(issue) becomes C(read:issue), C(write:issue); inferred.
      - V(issue:write) becomes C(read:issue), C(write:issue), C(delete:issue); inferred.
      - V(wiki) becomes C(read:wiki), C(write:wiki), C(delete:wiki); inferred.
      - V(webhook) becomes C(read:webhook), C(write:webhook), C(delete:webhook); derived.
      - V(snippet) becomes C(read:snippet); derived.
      - V(snippet:write) becomes C(read:snippet), C(write:snippet), C(delete:snippet); derived.
      - V(pipeline) becomes C(read:pipeline); derived.
      - V(pipeline:write) becomes C(read:pipeline), C(write:pipeline); derived.
      - V(pipeline:variable) becomes C(admin:pipeline), C(read:pipeline); derived.
      - V(runner) becomes C(read:runner); derived.
      - V(runner:write) becomes C(read:runner), C(write:runner); derived.
    type: list
    elements: str
    default: []
    aliases: [permission]
notes:
  - What cannot be read is listed under RV(not_searched).
  - Found are secrets for C(bitbucket.org) and its subdomains, and any secret that has the shape of one of Bitbucket, be
    it Cloud or Data Center. Passwords of other hosts are left alone. SSH keys are no such secrets.
  - Files larger than 16 MiB are not searched.
  - Root follows a symbolic link only if root made it, or the owner of what it leads to. That is so for O(homes),
    O(search_paths) and O(paths) themselves too. A file that another one refers to must belong to the owner of that one.
    Out of a home, or out of one of O(search_paths), root goes only to a file of the owner of that directory. Otherwise
    a user could have another user's file read or changed. What is not followed is listed with the reason C(link).
"""
