"""A double of AWX, as far as a store in its credentials and setting it up go; built from AWX's public API reference.

It is not AWX, which cannot be installed from a package index. It knows organizations, the managed credential type for
Bitbucket Data Center and for AWX itself, and credentials, whose secrets it never shows. Of the other objects it knows
the fields that the modules of AWX's own collection write, and refuses what :mod:`tests.doubles.awx_rules` has from the
source of AWX. It is stricter than AWX, which passes over fields that it does not know.

It does not know what AWX makes of a value: it shows what was sent, with the type of an input and the organization of a
job template filled in, and some texts made numbers or truths. Nor does it check who may do what to which object,
whether an inventory's file or a branch is there, what may be asked for at launch, and most types of plain fields.
"""

from __future__ import annotations

import contextlib
import typing as t
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.doubles import awx_rules
from tests.doubles.loopback import DROP, Answer, Double, Json, Request, serving
from tests.simulator.tls import Certificates

TOKEN = "an-oauth-token-of-the-double-4711"
TYPE, CONTROLLER_TYPE, ORGANIZATION = 27, 16, 3
ENCRYPTED = "$encrypted$"
PLAYBOOKS = ("audit.yml", "provision.yml", "revoke_leaked.yml", "rotate.yml")
#: The kinds of credential that a job can have. Those of kind ``token`` are for webhooks.
_ATTACHED = ("ssh", "vault", "cloud", "net", "kubernetes")
_ORGANIZATIONS = [{"id": ORGANIZATION, "name": "Payments"}, {"id": ORGANIZATION + 1, "name": "Search & Rescue"}]


_VERIFY = {"id": "verify_ssl", "type": "boolean", "label": "Verify SSL", "secret": False}
#: The types that the controller has by itself, by id.
MANAGED: dict[int, Json] = {
    TYPE: {
        "name": "Bitbucket Data Center HTTP Access Token",
        "namespace": "bitbucket_dc_token",
        "kind": "token",
        "inputs": {"fields": [{"id": "token", "type": "string", "label": "Token", "secret": True}]},
        "injectors": {},
    },
    CONTROLLER_TYPE: {
        "name": "Red Hat Ansible Automation Platform",
        "namespace": "controller",
        "kind": "cloud",
        "inputs": {
            "fields": [
                *({"id": name, "type": "string", "label": name} for name in ("host", "username")),
                *(
                    {"id": name, "type": "string", "label": name, "secret": True}
                    for name in ("password", "oauth_token")
                ),
                _VERIFY,
            ],
            "required": ["host"],
        },
        "injectors": {
            "env": {
                f"{prefix}_{name.upper()}": f"{{{{{name}}}}}"
                for prefix in ("TOWER", "CONTROLLER")
                for name in ("host", "username", "password", "verify_ssl", "oauth_token")
            }
        },
    },
}


@dataclass(frozen=True)
class Kind:
    """What can be written of an object, what must be, and what may be there once only."""

    fields: frozenset[str]
    required: frozenset[str]
    unique: tuple[str, ...]


def _kind(unique: str, required: str, fields: str) -> Kind:
    named = frozenset(f"{unique} {required}".split())
    return Kind(
        named | frozenset(fields.split()) | {"description"},
        frozenset(required.split()) | {"name"},
        tuple(unique.split()),
    )


KINDS = {
    "credential_types": _kind("name kind", "kind", "inputs injectors"),
    "execution_environments": _kind("name", "image", "organization credential pull"),
    "projects": _kind(
        "name organization",
        "",
        "scm_type scm_url scm_branch scm_refspec scm_clean scm_delete_on_update scm_track_submodules credential "
        "timeout scm_update_on_launch scm_update_cache_timeout allow_override default_environment local_path",
    ),
    "inventories": _kind(
        "name organization", "organization", "kind host_filter variables prevent_instance_group_fallback"
    ),
    "inventory_sources": _kind(
        "name inventory",
        "inventory source",
        "source_path source_vars source_project scm_branch credential execution_environment enabled_var enabled_value "
        "host_filter limit overwrite overwrite_vars timeout verbosity update_on_launch update_cache_timeout",
    ),
    "job_templates": _kind(
        "name",
        "project playbook",
        "inventory job_type execution_environment extra_vars forks limit verbosity job_tags skip_tags timeout "
        "diff_mode job_slice_count allow_simultaneous survey_enabled ask_variables_on_launch ask_job_type_on_launch "
        "ask_limit_on_launch ask_inventory_on_launch ask_credential_on_launch ask_diff_mode_on_launch use_fact_cache",
    ),
    "schedules": _kind(
        "name unified_job_template", "unified_job_template rrule", "enabled extra_data inventory timezone"
    ),
}


_NUMBERS = ("forks", "verbosity", "job_slice_count", "timeout")
_FLAGS = ("survey_enabled", "scm_update_on_launch", "overwrite", "overwrite_vars", "update_on_launch")


@dataclass
class AwxDouble(Double):
    """The state of the controller, and what a test may do to it."""

    credentials: dict[int, Json] = field(default_factory=dict)
    #: Of the other kinds, by kind and id.
    objects: dict[str, dict[int, Json]] = field(default_factory=lambda: {kind: {} for kind in KINDS})
    #: By job template.
    attached: dict[int, list[int]] = field(default_factory=dict)
    surveys: dict[int, Json] = field(default_factory=dict)
    #: What a project holds once it is synced, how often it must be asked for until then, and how that ends.
    playbooks: tuple[str, ...] = PLAYBOOKS
    syncing: int = 1
    synced: str = "successful"
    #: Whether the login may create, and change what is there.
    creates: bool = True
    edits: bool = True
    largest_page: int = 200

    def put(self, name: str, token: str, description: str = "", **more: t.Any) -> int:
        """A credential that somebody has made by hand."""
        number = len(self.credentials) + 100
        place = {"organization": ORGANIZATION, "credential_type": TYPE}
        kept = {"id": number, "name": name, "description": description, "inputs": {"token": token}, **place, **more}
        self.credentials[number] = kept
        return number

    def _route(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return Answer(401, {"detail": "Authentication credentials were not provided."})
        parts = request.path.removeprefix("/api/v2/").strip("/").split("/")
        if request.method == "OPTIONS":
            return Answer(200, {"actions": {"GET": {}, **({"POST": {}} if self.creates else {})}})
        if parts == ["organizations"]:
            return self._list(_ORGANIZATIONS, request)
        if parts[0] == "credentials":
            return self._of_credentials(parts, request)
        if parts[0] not in KINDS:
            return Answer(404, {"detail": "Not found."})
        if len(parts) == 1:
            return self._of_kind(parts[0], request)
        return self._of_one(parts[0], int(parts[1]), parts[2:], request)

    def _of_credentials(self, parts: list[str], request: Request) -> Answer:
        if len(parts) == 2 and request.method == "DELETE":
            return self._delete(int(parts[1]))
        if len(parts) == 2:
            return self._change(int(parts[1]), request.body)
        if request.method == "GET":
            return self._list([self._shown(item) for item in self.credentials.values()], request)
        return self._create(request.body)

    def _delete(self, number: int) -> Answer:
        if not self.edits:
            return Answer(403, {"detail": "You do not have permission to perform this action."})
        return Answer(204) if self.credentials.pop(number, None) else Answer(404, {"detail": "Not found."})

    def _of_kind(self, kind: str, request: Request) -> Answer:
        if request.method == "GET":
            builtin = [{"id": number, "managed": True, **managed} for number, managed in MANAGED.items()]
            builtin = builtin if kind == "credential_types" else []
            return self._list([*builtin, *(self._seen(kind, item) for item in self.objects[kind].values())], request)
        if not self.creates:
            return Answer(403, {"detail": "You do not have permission to perform this action."})
        refused = self._refused(kind, request.body)
        if refused:
            return Answer(400, refused)
        number = 1000 + sum(map(len, self.objects.values()))
        self.objects[kind][number] = {"id": number, **_coerced(request.body)}
        if kind == "projects":
            self.objects[kind][number] |= {"status": "pending", "asks": self.syncing}
        return Answer(201, self._seen(kind, self.objects[kind][number]))

    def _of_one(self, kind: str, number: int, rest: list[str], request: Request) -> Answer:
        item = self.objects[kind].get(number)
        if item is None:
            return Answer(404, {"detail": "Not found."})
        if rest == ["credentials"] and kind == "job_templates":
            return self._attach(number, request)
        if rest == ["survey_spec"] and kind == "job_templates":
            if request.method == "POST":
                wrong = awx_rules.survey(request.body)
                if wrong:
                    return Answer(400, {"error": wrong})
                self.surveys[number] = request.body
                return Answer(200)
            return Answer(200, self.surveys.get(number, {}))
        if request.method == "PATCH" and kind == "credential_types" and self._in_use(number, item, request.body):
            return Answer(403, {"detail": "Modifications to inputs are not allowed for credential types in use."})
        if request.method == "PATCH":
            refused = {} if self.edits else {"detail": "You do not have permission to perform this action."}
            refused = refused or self._refused(kind, {**item, **request.body}, number)
            if refused:
                return Answer(400 if self.edits else 403, refused)
            item.update(_coerced(request.body))
        elif kind == "projects" and item.get("asks"):
            item["asks"] -= 1
            item["status"] = "running" if item["asks"] else self.synced
        return Answer(200, self._seen(kind, item))

    def _attach(self, number: int, request: Request) -> Answer:
        present = self.attached.setdefault(number, [])
        if request.method == "GET":
            return self._list([self._shown(self.credentials[one]) for one in present], request)
        wanted = request.body["id"]
        if request.body.get("disassociate"):
            present.remove(wanted)
            return Answer(204)
        types = [self.credentials[one]["credential_type"] for one in present]
        if self.credentials[wanted]["credential_type"] in types:
            return Answer(400, {"error": "Cannot assign multiple credentials of a type."})
        if self.type_of(self.credentials[wanted])["kind"] not in _ATTACHED:
            return Answer(400, {"error": "Cannot assign a Credential of this kind."})
        present.append(wanted)
        return Answer(204)

    def _refused(self, kind: str, body: Json, number: int | None = None) -> Json:
        """What is wrong with an object, by field."""
        known = KINDS[kind]
        sent = {name for name in body if name not in ("id", "status", "asks")}
        if sent - known.fields:
            return {name: [f"There is no such field, so {body[name]} cannot be it."] for name in sent - known.fields}
        if known.required - sent:
            return {name: ["This field is required."] for name in known.required - sent}
        wrong = awx_rules.schedule(body["rrule"]) if kind == "schedules" else None
        refused = awx_rules.credential_type(body) if kind == "credential_types" else {}
        if wrong or refused:
            return refused or {"rrule": [wrong]}
        # A job template is the only one of its name in the organization of its project.
        unique = (*known.unique, "organization") if kind == "job_templates" else known.unique
        mine = self._seen(kind, body)
        others = [self._seen(kind, item) for one, item in self.objects[kind].items() if one != number]
        if any(all(item.get(name) == mine.get(name) for name in unique) for item in others):
            return {"__all__": [f"There is one with these {unique} already: {body}"]}
        return self._without_playbook(body) if kind == "job_templates" else {}

    def _in_use(self, number: int, item: Json, body: Json) -> bool:
        """Whether inputs of a type would change that a credential has."""
        used = any(one["credential_type"] == number for one in self.credentials.values())
        return used and "inputs" in body and _typed(body["inputs"]) != _typed(item["inputs"])

    def _without_playbook(self, body: Json) -> Json:
        if self.objects["projects"][body["project"]]["status"] != "successful":
            return {"playbook": ["Playbook not found for project."]}
        if body["playbook"] not in self.playbooks:
            return {"playbook": ["Playbook not found for project."]}
        return {}

    def _seen(self, kind: str, item: Json) -> Json:
        """As the API shows it: with what is derived, and the names of what it refers to."""
        seen = {name: value for name, value in item.items() if name != "asks"}
        if kind == "credential_types":
            seen["inputs"] = _typed(seen.get("inputs", {}))
        if kind == "job_templates":
            # As in AWX the organization is that of the project.
            seen["organization"] = self.objects["projects"][item["project"]].get("organization")
        named = {"project": "projects", "inventory": "inventories", "execution_environment": "execution_environments"}
        summary = {
            name: {"id": seen[name], "name": self.objects[other][seen[name]]["name"]}
            for name, other in named.items()
            if seen.get(name) in self.objects[other]
        }
        return {**seen, "summary_fields": summary}

    def _create(self, body: Json) -> Answer:
        if not self.creates:
            return Answer(403, {"detail": "You do not have permission to perform this action."})
        unique = ("name", "organization", "credential_type")
        if any(all(item[key] == body[key] for key in unique) for item in self.credentials.values()):
            return Answer(400, {"__all__": [f"Credential with this {unique} already exists: {body}"]})
        refused = awx_rules.credential(body["inputs"], self.type_of(body)["inputs"]["fields"], None)
        if refused:
            return Answer(400, {"inputs": [f"{refused} {body['inputs']}"]})
        number = self.put(body["name"], "", body.get("description", ""), **_without(body, "name", "description"))
        return Answer(201, self._shown(self.credentials[number]))

    def _change(self, number: int, body: Json) -> Answer:
        if not self.edits:
            return Answer(403, {"detail": "You do not have permission to perform this action."})
        before = self.credentials[number]["inputs"]
        fields = self.type_of(self.credentials[number])["inputs"]["fields"]
        refused = awx_rules.credential(body.get("inputs", {}), fields, before)
        if refused:
            return Answer(400, {"inputs": [f"{refused} {body['inputs']}"]})
        self.credentials[number].update(body)
        if "inputs" in body:
            kept = {key: before.get(key) if value == ENCRYPTED else value for key, value in body["inputs"].items()}
            self.credentials[number]["inputs"] = kept
        return Answer(200, self._shown(self.credentials[number]))

    def type_of(self, credential: Json) -> Json:
        number = credential["credential_type"]
        return self.objects["credential_types"].get(number) or MANAGED.get(number) or MANAGED[TYPE]

    def _secret(self, credential: Json) -> dict[str, bool]:
        """The inputs of a credential's type, and whether each is secret."""
        return {entry["id"]: entry.get("secret", False) for entry in self.type_of(credential)["inputs"]["fields"]}

    def _shown(self, item: Json) -> Json:
        secret = self._secret(item)
        shown = {key: ENCRYPTED if secret[key] else value for key, value in item["inputs"].items() if value}
        return {**item, "inputs": shown, "summary_fields": {"user_capabilities": {"edit": self.edits}}}

    def _list(self, items: list[Json], request: Request) -> Answer:
        filters = {key: value for key, value in request.query.items() if key not in ("page", "page_size", "order_by")}
        found = [item for item in items if all(str(item.get(key)) == value for key, value in filters.items())]
        size = min(int(request.query.get("page_size", 25)), self.largest_page)
        page = int(request.query.get("page", 1))
        more = page * size < len(found)
        following = f"http://elsewhere.example/api/v2/?page={page + 1}" if more else None
        return Answer(200, {"count": len(found), "next": following, "results": found[(page - 1) * size : page * size]})


def _coerced(body: Json) -> Json:
    """Texts that stand for a number or a truth, as what they stand for."""
    plain = {"true": True, "false": False}
    made = {name: plain.get(str(body[name]).lower(), body[name]) for name in body if name in _FLAGS}
    numbers = {name: int(body[name]) for name in body if name in _NUMBERS and str(body[name]).isdigit()}
    return {**body, **made, **numbers}


def _typed(inputs: Json) -> Json:
    """The inputs of a type, each with its own type: AWX fills in that of a text."""
    return {**inputs, "fields": [{"type": "string", **entry} for entry in inputs.get("fields", [])]}


def _without(body: Json, *names: str) -> Json:
    return {key: value for key, value in body.items() if key not in names}


def lose_answers(*methods: str) -> Callable[[Request, Answer], Answer | None]:
    """The controller does what it was asked to, and the answer is lost."""
    return lambda request, _answer: DROP if request.method in methods else None


@contextlib.contextmanager
def running(tls: Certificates | None = None, **state: t.Any) -> Iterator[tuple[AwxDouble, str]]:
    double = AwxDouble(**state)
    with serving(double.handle, tls) as url:
        yield double, url
