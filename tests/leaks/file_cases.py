"""The cases of app passwords in files: modules that find, remove and replace them. More tasks for the same table."""

from __future__ import annotations

from pathlib import Path

from tests.leaks.cases import Data, echoes, elsewhere, with_userinfo
from tests.leaks.sandbox import CREDENTIALS, Scenario
from tests.leaks.task_cases import PREFIX, TASKS

__all__ = ["TASKS"]
FOUND, GONE = "modules/app_password_info", "modules/app_password"


def searched(scenario: Scenario, **more: object) -> Data:
    return {f"{PREFIX}.app_password_info": {**_places(scenario), **more}}


def asked(scenario: Scenario, **more: object) -> Data:
    """Of a cloud whose faults are this scenario's own."""
    url = f"{scenario.sandbox.cloud_url}/{scenario.key.lower()}"
    return searched(scenario, **{"verify": True, "api_url": url, "email": "{{ email }}", **more})


def removed(scenario: Scenario, **more: object) -> Data:
    return {f"{PREFIX}.app_password": {**_places(scenario), "state": "absent", **more}}


def replaced(scenario: Scenario, **more: object) -> Data:
    return removed(scenario, **{"state": "replaced", "api_token": scenario.api_token(), **more})


def _places(scenario: Scenario) -> Data:
    home = scenario.home()
    return {"homes": [home], "search_paths": [f"{home}/src"]}


def left_alive(scenario: Scenario, secret: str) -> str:
    """A file with a secret that Bitbucket has to be asked about."""
    return scenario.leave("alive/.git-credentials", f"https://jdoe:{secret}@bitbucket.org\n")


# What works


@TASKS.works(FOUND)
def finds_app_passwords(scenario: Scenario) -> Data:
    return {**searched(scenario, permissions=["repository:write"]), "register": "found"}


@TASKS.works(FOUND)
def shows_what_was_found(_scene: Scenario) -> Data:
    return {"ansible.builtin.debug": {"var": "found"}}


@TASKS.works(FOUND)
def asks_about_what_it_finds(scenario: Scenario) -> Data:
    token = scenario.sandbox.variables["api_token"]
    return asked(scenario, paths=[left_alive(scenario, token)], api_url=scenario.sandbox.cloud_url)


@TASKS.works(FOUND)
def asks_about_what_is_refused(scenario: Scenario) -> Data:
    paths = [left_alive(scenario, CREDENTIALS["cloud_token"]), scenario.leaked(CREDENTIALS["nobodys_token"])]
    return asked(scenario, paths=paths, api_url=scenario.sandbox.cloud_url)


@TASKS.works(FOUND)
def asks_a_cloud_that_quotes(scenario: Scenario) -> Data:
    token = scenario.sandbox.variables["api_token"]
    scenario.arm_cloud("status", status=400, message=echoes(token))
    return asked(scenario, paths=[left_alive(scenario, token)])


@TASKS.works(FOUND)
def asks_a_cloud_that_redirects(scenario: Scenario) -> Data:
    token = scenario.sandbox.variables["api_token"]
    scenario.arm_cloud("redirect", location=elsewhere(token))
    return asked(scenario, paths=[left_alive(scenario, token)])


@TASKS.works(FOUND)
def finds_secrets_in_the_wrong_places(scenario: Scenario) -> Data:
    """Where a user name, a host or the name of a directory belongs."""
    secret = scenario.dead()
    lines = f"https://{secret}@bitbucket.org\nhttps://{secret}:x@bitbucket.org/{secret}\nhttps://a:{secret}@{secret}\n"
    remote = scenario.leave(
        f"odd/{secret}/.git/config", f'[remote "{secret}"]\n\turl = https://{secret}@bitbucket.org/x\n'
    )
    scenario.repository(f"odd/{secret}")
    places = [str(Path(remote).parents[2])]
    return searched(scenario, search_paths=places, paths=[scenario.leave("odd/.git-credentials", lines)])


@TASKS.works(GONE)
def removes_app_passwords(scenario: Scenario) -> Data:
    return {**removed(scenario), "register": "gone"}


@TASKS.works(GONE)
def shows_what_was_removed(_scene: Scenario) -> Data:
    return {"ansible.builtin.debug": {"var": "gone"}}


@TASKS.works(GONE)
def replaces_app_passwords_and_keeps_the_files(scenario: Scenario) -> Data:
    return replaced(scenario, backup=True)


@TASKS.works(GONE)
def predicts_what_is_replaced(scenario: Scenario) -> Data:
    return {**replaced(scenario), "check_mode": True}


@TASKS.works(GONE)
def replaces_a_live_token(scenario: Scenario) -> Data:
    path = left_alive(scenario, CREDENTIALS["cloud_token"])
    return replaced(scenario, homes=[], search_paths=[], paths=[path], kinds=["api_token"])


# What cannot be right


@TASKS.fails(FOUND, says="must be absolute paths")
def a_search_of_a_path_that_leads_nowhere(scenario: Scenario) -> Data:
    return searched(scenario, homes=["somewhere"])


@TASKS.fails(FOUND)
def a_search_with_permissions_nobody_knows(scenario: Scenario) -> Data:
    return searched(scenario, permissions=["everything"])


@TASKS.fails(FOUND)
def a_question_to_an_address_with_a_credential(scenario: Scenario) -> Data:
    return asked(scenario, api_url=scenario.variable("url", with_userinfo(scenario.sandbox.cloud_url)))


@TASKS.fails(GONE, says="cannot be created")
def an_app_password_that_shall_be_there(scenario: Scenario) -> Data:
    return removed(scenario, state="present", api_token="{{ api_token }}")


@TASKS.fails(GONE, says="is an app password")
def an_app_password_in_place_of_the_token(scenario: Scenario) -> Data:
    return replaced(scenario, api_token=scenario.variable("dead", scenario.dead()))


@TASKS.fails(GONE, says="does not look like an API token")
def something_else_in_place_of_the_token(scenario: Scenario) -> Data:
    return replaced(scenario, api_token="{{ nobodys_token }}")


@TASKS.fails(GONE)
def a_mapping_in_place_of_the_token(scenario: Scenario) -> Data:
    return replaced(scenario, api_token={"value": "{{ api_token }}"})


@TASKS.fails(GONE, says="`git_username`")
def the_token_also_in_place_of_the_user_name(scenario: Scenario) -> Data:
    return replaced(scenario, api_token="{{ api_token }}", git_username="{{ api_token }}")


@TASKS.fails(GONE, says="manually")
def a_secret_that_only_a_hand_can_remove(scenario: Scenario) -> Data:
    return removed(scenario, paths=[scenario.leaked(scenario.dead())])


@TASKS.fails(GONE, says="would be sent in clear text")
def a_token_that_would_go_in_the_clear(scenario: Scenario) -> Data:
    return replaced(
        scenario, paths=[scenario.leave("plain/.git-credentials", f"http://a:{scenario.dead()}@bitbucket.org\n")]
    )


@TASKS.fails(GONE)
def a_file_that_git_has_locked(scenario: Scenario) -> Data:
    task = replaced(scenario)
    _home(task).joinpath(".gitconfig.lock").touch(0o600)
    return task


@TASKS.fails(GONE, says="hard link")
def a_file_of_several_names(scenario: Scenario) -> Data:
    task = removed(scenario)
    _home(task).joinpath("another").hardlink_to(_home(task) / ".netrc")
    return task


def _home(task: Data) -> Path:
    (options,) = task.values()
    return Path(options["homes"][0])
