"""The cases of app passwords in files: modules that find, remove and replace them. More tasks for the same table."""

from __future__ import annotations

from pathlib import Path

from tests.leaks.cases import Data, echoes, elsewhere, with_userinfo
from tests.leaks.stage import CREDENTIALS, Scene
from tests.leaks.task_cases import PREFIX, TASKS

__all__ = ["TASKS"]
FOUND, GONE = "modules/app_password_info", "modules/app_password"


def searched(scene: Scene, **more: object) -> Data:
    return {f"{PREFIX}.app_password_info": {**_places(scene), **more}}


def asked(scene: Scene, **more: object) -> Data:
    """Of a cloud whose faults are this scene's own."""
    url = f"{scene.stage.cloud_url}/{scene.key.lower()}"
    return searched(scene, **{"verify": True, "api_url": url, "email": "{{ email }}", **more})


def removed(scene: Scene, **more: object) -> Data:
    return {f"{PREFIX}.app_password": {**_places(scene), "state": "absent", **more}}


def replaced(scene: Scene, **more: object) -> Data:
    return removed(scene, **{"state": "replaced", "api_token": scene.api_token(), **more})


def _places(scene: Scene) -> Data:
    home = scene.home()
    return {"homes": [home], "search_paths": [f"{home}/src"]}


def left_alive(scene: Scene, secret: str) -> str:
    """A file with a secret that Bitbucket has to be asked about."""
    return scene.leave("alive/.git-credentials", f"https://jdoe:{secret}@bitbucket.org\n")


# What works


@TASKS.works(FOUND)
def finds_app_passwords(scene: Scene) -> Data:
    return {**searched(scene, permissions=["repository:write"]), "register": "found"}


@TASKS.works(FOUND)
def shows_what_was_found(_scene: Scene) -> Data:
    return {"ansible.builtin.debug": {"var": "found"}}


@TASKS.works(FOUND)
def asks_about_what_it_finds(scene: Scene) -> Data:
    token = scene.stage.variables["api_token"]
    return asked(scene, paths=[left_alive(scene, token)], api_url=scene.stage.cloud_url)


@TASKS.works(FOUND)
def asks_about_what_is_refused(scene: Scene) -> Data:
    paths = [left_alive(scene, CREDENTIALS["cloud_token"]), scene.leaked(CREDENTIALS["nobodys_token"])]
    return asked(scene, paths=paths, api_url=scene.stage.cloud_url)


@TASKS.works(FOUND)
def asks_a_cloud_that_quotes(scene: Scene) -> Data:
    token = scene.stage.variables["api_token"]
    scene.arm_cloud("status", status=400, message=echoes(token))
    return asked(scene, paths=[left_alive(scene, token)])


@TASKS.works(FOUND)
def asks_a_cloud_that_redirects(scene: Scene) -> Data:
    token = scene.stage.variables["api_token"]
    scene.arm_cloud("redirect", location=elsewhere(token))
    return asked(scene, paths=[left_alive(scene, token)])


@TASKS.works(FOUND)
def finds_secrets_in_the_wrong_places(scene: Scene) -> Data:
    """Where a user name, a host or the name of a directory belongs."""
    secret = scene.dead()
    lines = f"https://{secret}@bitbucket.org\nhttps://{secret}:x@bitbucket.org/{secret}\nhttps://a:{secret}@{secret}\n"
    remote = scene.leave(
        f"odd/{secret}/.git/config", f'[remote "{secret}"]\n\turl = https://{secret}@bitbucket.org/x\n'
    )
    scene.repository(f"odd/{secret}")
    places = [str(Path(remote).parents[2])]
    return searched(scene, search_paths=places, paths=[scene.leave("odd/.git-credentials", lines)])


@TASKS.works(GONE)
def removes_app_passwords(scene: Scene) -> Data:
    return {**removed(scene), "register": "gone"}


@TASKS.works(GONE)
def shows_what_was_removed(_scene: Scene) -> Data:
    return {"ansible.builtin.debug": {"var": "gone"}}


@TASKS.works(GONE)
def replaces_app_passwords_and_keeps_the_files(scene: Scene) -> Data:
    return replaced(scene, backup=True)


@TASKS.works(GONE)
def predicts_what_is_replaced(scene: Scene) -> Data:
    return {**replaced(scene), "check_mode": True}


@TASKS.works(GONE)
def replaces_a_live_token(scene: Scene) -> Data:
    path = left_alive(scene, CREDENTIALS["cloud_token"])
    return replaced(scene, homes=[], search_paths=[], paths=[path], kinds=["api_token"])


# What cannot be right


@TASKS.fails(FOUND, says="takes absolute paths")
def a_search_of_a_path_that_leads_nowhere(scene: Scene) -> Data:
    return searched(scene, homes=["somewhere"])


@TASKS.fails(FOUND)
def a_search_with_permissions_nobody_knows(scene: Scene) -> Data:
    return searched(scene, permissions=["everything"])


@TASKS.fails(FOUND)
def a_question_to_an_address_with_a_credential(scene: Scene) -> Data:
    return asked(scene, api_url=scene.variable("url", with_userinfo(scene.stage.cloud_url)))


@TASKS.fails(GONE, says="cannot be created")
def an_app_password_that_shall_be_there(scene: Scene) -> Data:
    return removed(scene, state="present", api_token="{{ api_token }}")


@TASKS.fails(GONE, says="is an app password")
def an_app_password_in_place_of_the_token(scene: Scene) -> Data:
    return replaced(scene, api_token=scene.variable("dead", scene.dead()))


@TASKS.fails(GONE, says="does not look like an API token")
def something_else_in_place_of_the_token(scene: Scene) -> Data:
    return replaced(scene, api_token="{{ nobodys_token }}")


@TASKS.fails(GONE)
def a_mapping_in_place_of_the_token(scene: Scene) -> Data:
    return replaced(scene, api_token={"value": "{{ api_token }}"})


@TASKS.fails(GONE, says="`git_username`")
def the_token_also_in_place_of_the_user_name(scene: Scene) -> Data:
    return replaced(scene, api_token="{{ api_token }}", git_username="{{ api_token }}")


@TASKS.fails(GONE, says="by hand")
def a_secret_that_only_a_hand_can_remove(scene: Scene) -> Data:
    return removed(scene, paths=[scene.leaked(scene.dead())])


@TASKS.fails(GONE, says="would send the API token in the clear")
def a_token_that_would_go_in_the_clear(scene: Scene) -> Data:
    return replaced(scene, paths=[scene.leave("plain/.git-credentials", f"http://a:{scene.dead()}@bitbucket.org\n")])


@TASKS.fails(GONE)
def a_file_that_git_has_locked(scene: Scene) -> Data:
    task = replaced(scene)
    _home(task).joinpath(".gitconfig.lock").touch(0o600)
    return task


@TASKS.fails(GONE, says="hard link")
def a_file_of_several_names(scene: Scene) -> Data:
    task = removed(scene)
    _home(task).joinpath("another").hardlink_to(_home(task) / ".netrc")
    return task


def _home(task: Data) -> Path:
    (options,) = task.values()
    return Path(options["homes"][0])
