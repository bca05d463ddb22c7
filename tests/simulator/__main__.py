"""``python -m tests.simulator``: prints the URL it listens on, one line, and serves until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path

from . import seed
from .clock import Clock
from .cloud import Cloud, CloudSwitches, planting
from .core import Core
from .datacenter import Simulator
from .server import Tls, listen, serve, url_of
from .switches import PROFILES, Switches


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulator", description=__doc__)
    add = parser.add_argument
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=0, help="0 takes a free one")
    add("--product", choices=["datacenter", "cloud"], default="datacenter")
    add("--profile", choices=sorted(PROFILES), help="of Data Center; 10.4 by itself")
    add(
        "--seed",
        type=Path,
        metavar="FILE",
        help="YAML or JSON; without it the server has one administrator, or nothing",
    )
    add("--random-seed", metavar="TEXT", help="make ids, secrets and passwords repeatable")
    add("--credentials", type=Path, metavar="FILE", help="write the generated secrets there, as JSON, mode 0600")
    add("--admin-user", default="admin", help="the administrator of a server without a seed")
    add("--admin-password-file", type=Path, metavar="FILE", help="its password; without it one is generated")
    add("--context-path", default="", metavar="/bitbucket")
    add("--latency", type=float, default=None, metavar="MS", help="wait so long before every answer")
    add("--switch", action="append", default=[], metavar="NAME=VALUE", help="repeatable")
    add("--start", metavar="ISO", help="what the clock says at the start; it ticks on from there")
    add("--tls-cert", metavar="FILE")
    add("--tls-key", metavar="FILE")
    add("--tls-client-ca", metavar="FILE", help="ask for client certificates of this CA")
    options = parser.parse_args(arguments)
    if bool(options.tls_cert) != bool(options.tls_key) or (options.tls_client_ca and not options.tls_cert):
        parser.error("TLS needs --tls-cert and --tls-key")
    if options.product == "cloud" and (options.profile or options.context_path or options.admin_password_file):
        parser.error("the cloud has no profile, no context path and no administrator")
    board = CloudSwitches if options.product == "cloud" else Switches
    try:
        options.switch = [board.parse(text) for text in options.switch]
    except (AttributeError, ValueError) as error:
        parser.error(str(error))
    return options


def build(options: argparse.Namespace) -> Core:
    simulator, secrets = cloud(options) if options.product == "cloud" else datacenter(options)
    simulator.switches.update(dict(options.switch))
    if options.latency is not None:
        simulator.switches.latency_ms = options.latency
    if options.credentials:
        write_private(options.credentials, json.dumps(secrets, indent=2) + "\n")
    return simulator


def datacenter(options: argparse.Namespace) -> tuple[Core, object]:
    clock, profile = Clock(options.start, frozen=False), options.profile or "10.4"
    simulator = Simulator(profile, clock=clock, seed=options.random_seed, context_path=options.context_path)
    document = seed.load(options.seed) if options.seed else administrator(options)
    return simulator, seed.plant(simulator, document).passwords


def cloud(options: argparse.Namespace) -> tuple[Core, object]:
    simulator = Cloud(clock=Clock(options.start, frozen=False), seed=options.random_seed)
    return simulator, planting.plant(simulator, seed.load(options.seed) if options.seed else {}).credentials


def administrator(options: argparse.Namespace) -> dict[str, object]:
    """The server without a seed; its one user may use Basic, as a site would allow-list it (D23)."""
    password = seed.GENERATE
    if options.admin_password_file:
        password = options.admin_password_file.read_text(encoding="utf-8").rstrip("\r\n")
    user = {"name": options.admin_user, "password": password, "roles": ["SYS_ADMIN"]}
    return {"users": [user], "basic_auth": {"allowed_users": [options.admin_user]}}


def write_private(path: Path, text: str) -> None:
    """Never readable by others, not even for a moment or where the file was there before."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def main() -> None:
    options = parse()
    simulator = build(options)
    tls = Tls(options.tls_cert, options.tls_key, options.tls_client_ca) if options.tls_cert else None
    listener = listen(options.host, options.port)
    url = url_of(listener, simulator.context_path, tls=tls is not None)
    serve(simulator, listener, tls, lambda: print(url, flush=True))


if __name__ == "__main__":
    main()
