# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  homes:
    description:
      - Home directories to search. V(~) is the home of the user that the module runs as, V(~alice) that of another
        user. A pattern such as V(/home/*) stands for every matching directory.
      - Each is searched for C(.git-credentials), C(.config/git/credentials), C(.netrc), C(.gitconfig) and
        C(.config/git/config), and for files in the same home that these name with C(include.path), C(includeIf), or a
        C(credential.helper) that runs C(git credential-store --file). Its command may have C($HOME), C(~) and quotes. A
        path that only a shell could expand is listed in RV(not_searched).
    type: list
    elements: path
    default: ["~"]
  search_paths:
    description:
      - Directories below which the configuration of every Git repository is searched, including bare repositories,
        worktrees and submodules. Symbolic links to directories are skipped, as are C(/proc), C(/sys), C(/dev) and
        C(/run).
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
      - Further files to search. Their names determine their format. In a file with any other name, secrets are found by
        their format, and as the password of a URL.
    type: list
    elements: path
    default: []
  permissions:
    description:
      - The permissions that the app passwords had, such as V(repository:write). The scopes that an API token needs for
        the same are then returned. No scope implies another.
      - Atlassian published no such table. Derived rows come from operations that are documented with both permissions
        and scopes; inferred rows come from the meaning of the names. Each scope ends in C(:bitbucket), which is omitted
        here.
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
  - Files and directories that cannot be read are listed in RV(not_searched).
  - The search finds secrets for C(bitbucket.org) and its subdomains, and any secret with the format of Bitbucket Cloud
    or Data Center. Passwords of other hosts and SSH keys are ignored.
  - Files larger than 16 MiB are not searched.
  - Root follows a symbolic link only if the link belongs to root or to the owner of its target. This also applies to
    O(homes), O(search_paths) and O(paths) themselves. A file that another file refers to must have the same owner as
    that file. From a home, or from one of O(search_paths), root follows only to files of the owner of that directory.
    Otherwise a user could have another user's file read or changed. Links that are not followed are listed with the
    reason C(link).
"""
