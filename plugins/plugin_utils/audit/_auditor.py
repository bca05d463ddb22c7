# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One audit, from the first request to the task's result."""

from __future__ import annotations

import collections.abc as c
import time
import typing as t

from ...module_utils.core._errors import BitbucketError
from ...module_utils.core._text import visible_json
from ...module_utils.core._times import iso
from ._declared import Declared
from ._document import Document, Fingerprint, document_of, finding_of, fingerprint_of
from ._findings import judge
from ._model import EXPECTED, SEVERITIES, Audit, Finding, Judged, Observed, at_least
from ._output import Output
from ._page import html_of
from ._policy import policy_of
from ._summary import lines_of
from ._tables import csv_of, junit_of

#: Findings in a task's result; all of them are in the files.
SHOWN = 50
Result = dict[str, t.Any]
_NOTHING = Fingerprint(frozenset(), frozenset(), frozenset())


class Auditor:
    """One run of one task.

    :param params: the task's options, checked.
    :param observe: reads what the server has.
    :param now: the controller's clock, in seconds since the epoch.
    """

    def __init__(
        self,
        params: c.Mapping[str, t.Any],
        observe: c.Callable[[], Observed],
        now: c.Callable[[], float] = time.time,
    ) -> None:
        self._fail_on: str = params["fail_on"]
        self._policy = policy_of(params["policy"])
        self._declared = Declared(params["declared"])
        self._output = Output(params["output_dir"]) if params["output_dir"] else None
        self._observe = observe
        self._now = now

    def run(self, check_mode: bool) -> Result:
        """Read, judge and write.

        :raises BitbucketError: if nothing can be read, or a file cannot be written.
        """
        if self._output:
            self._output.prepare(check_mode)
        observed = self._observe()
        audit = judge(observed, self._policy, self._declared, int(self._now() * 1000))
        document = document_of(audit, self._policy)
        result = _result(audit, document)
        if self._output:
            result.update(self._compared(document))
            if not check_mode:
                self._output.write(self._contents(audit, document))
        return {**result, "summary": lines_of(result, check_mode), **self._failure(audit, written=not check_mode)}

    def _contents(self, audit: Audit, document: Document) -> dict[str, str]:
        # Made first, since it needs the most memory, and written last: the next audit is compared with it.
        text = visible_json(document, indent=1) + "\n"
        return {
            "csv": csv_of(audit),
            "junit": junit_of(audit, self._fail_on),
            "html": html_of(audit, self._policy),
            "json": text,
        }

    def _compared(self, document: Document) -> Result:
        """What differs from the audit before."""
        output = t.cast("Output", self._output)
        before, after = output.before(), fingerprint_of(document)
        known, found = before or _NOTHING, after or _NOTHING
        gone, new = sorted(known.findings - found.findings), sorted(found.findings - known.findings)
        return {
            "changed": before != after,
            "files": output.files,
            "since_last": {"new": len(new), "gone": len(gone)} if before else {},
            "diff": {
                "before_header": "findings of the audit before",
                "after_header": "findings of this audit",
                "before": "".join(f"{' '.join(entry)}\n" for entry in gone),
                "after": "".join(f"{' '.join(entry)}\n" for entry in new),
            },
        }

    def _failure(self, audit: Audit, written: bool) -> Result:
        """Whether the task fails, in one sentence."""
        failures = [failure for failure in audit.observed.unread if failure.reason not in EXPECTED]
        bad = [item for item in audit.tokens if at_least(item.severity, self._fail_on)]
        sentences = []
        if bad:
            first = bad[0]
            codes = ", ".join(finding.code for finding in first.counted if at_least(finding.severity, self._fail_on))
            sentences.append(
                f"Findings of severity {self._fail_on} or worse (`fail_on`): {len(bad)} of {len(audit.tokens)} tokens, "
                f"the first being {first.reference}, token {first.token.id} ({codes})."
            )
        if failures:
            sentences.append(
                f"The audit is incomplete, since {len(failures)} owners could not be read, the first being "
                f"{failures[0].owner}: {failures[0].msg}"
            )
        if not sentences:
            return {}
        reason = "incomplete" if failures else "findings"
        where = f" The report is {self._output.files['html']}" if self._output and written else ""
        return {"failed": True, "reason": reason, "msg": " ".join(sentences) + where}


def _result(audit: Audit, document: Document) -> Result:
    """What a task returns: figures, and the worst of what was found."""
    found = ((item, finding) for item in audit.tokens for finding in item.counted)
    worst_first = sorted(found, key=lambda pair: -SEVERITIES.index(pair[1].severity))
    return {
        "changed": False,
        "counts": document["counts"],
        "worst": document["worst"],
        "findings": [_shown(*pair) for pair in worst_first[:SHOWN]],
        "unread": document["unread"],
        "notes": document["notes"],
        "complete": document["complete"],
        "server_time": iso(audit.observed.now),
        "files": {},
        "since_last": {},
    }


def _shown(item: Judged, finding: Finding) -> Result:
    return {"reference": item.reference, "id": item.token.id, **finding_of(finding)}


def audited(auditor: c.Callable[[], Auditor], check_mode: bool) -> Result:
    """A task's result, whatever becomes of it."""
    try:
        return auditor().run(check_mode)
    except BitbucketError as error:
        return {"failed": True, "changed": False, "msg": str(error), "reason": error.reason}
