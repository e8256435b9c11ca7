"""Where this installation keeps and finds things, read from the environment."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, Self, cast, get_args

from platformdirs import user_data_path

# Host names, IPv4, and IPv6 in brackets; a port must be given.
_SCHEDULER = re.compile(r"tls://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):(?P<port>[0-9]{1,5})")
DeviceSetting = Literal["auto", "cpu", "cuda"]
_SCHEDULER_FILES = ("CA", "CERTIFICATE", "KEY")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much a server takes on, so that a class can share it."""

    waiting_runs: int = 300  # in all; a comparison is one request, and may go past it once
    visitor_runs: int = 40  # that wait or train, for each visitor
    epochs: int = 200  # a run
    stored_gigabytes: int = 20  # from which on no new run is taken
    waiting_maps: int = 10  # one of which is being drawn


_HIGHEST_LIMITS = {
    "waiting_runs": 10_000,
    "visitor_runs": 10_000,
    "epochs": 200,
    "stored_gigabytes": 100_000,
    "waiting_maps": 1000,
}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The deployment's choices; none of them can change a run's result, but for its last digits."""

    home: Path = field(default_factory=lambda: user_data_path("dropout-lab"))  # store and data cache live here
    data_folder: Path | None = None  # a folder that already holds the official files
    # http(s):// or file:// address of a folder with the four .gz files. It may hold a password, as may the store's, and
    # Dask logs what a task was given: hence not in the repr.
    mirror: str | None = field(default=None, repr=False)
    # SQLAlchemy URL; SQLite inside `home` where none is given.
    store_url: str | None = field(default=None, repr=False)
    scheduler: str | None = None  # tls:// address of a Dask scheduler; an embedded cluster where none is given
    scheduler_ca: Path | None = None  # PEM files: whom the scheduler must be certified by, and what we show it
    scheduler_certificate: Path | None = None
    scheduler_key: Path | None = None
    workers: int | None = None  # processes of the embedded cluster; one a core where none is given
    device: DeviceSetting = "auto"  # where runs are trained; "auto": on a GPU where there is one
    admins: frozenset[str] = frozenset()  # mail addresses, in lower case, of who may stop and delete everybody's runs
    limits: Limits = Limits()

    @classmethod
    def from_environment(cls) -> Self:
        """Read the `DROPOUT_LAB_*` variables; an empty one counts as unset.

        Raises ValueError naming the variable when its value cannot be used.
        """

        def get(name: str) -> str | None:
            return os.environ.get(f"DROPOUT_LAB_{name}", "").strip() or None

        def whole_number(name: str, high: int) -> int | None:
            value = get(name)
            if value is None:
                return None
            if not (value.isascii() and value.isdigit() and len(value) < 10 and 1 <= int(value) <= high):
                raise ValueError(f"DROPOUT_LAB_{name} must be a whole number from 1 to {high}, got {value!r}")
            return int(value)

        home, folder = get("HOME"), get("DATA")
        mirror = get("MIRROR")
        if mirror is not None and not mirror.startswith(("http://", "https://", "file://")):
            raise ValueError(
                "DROPOUT_LAB_MIRROR must start with http://, https:// or file://, "
                f"got {_without_password(mirror)!r}; correct or unset it"
            )
        device = get("DEVICE") or "auto"
        if device not in get_args(DeviceSetting):
            raise ValueError(f"DROPOUT_LAB_DEVICE must be one of {', '.join(get_args(DeviceSetting))}, got {device!r}")
        scheduler = get("SCHEDULER")
        files = {name: Path(file).expanduser() for name in _SCHEDULER_FILES if (file := get(f"SCHEDULER_{name}"))}
        if scheduler is not None:
            _check_scheduler(scheduler, files)
        limits = {name: whole_number(name.upper(), high) for name, high in _HIGHEST_LIMITS.items()}
        return cls(
            home=Path(home).expanduser() if home else user_data_path("dropout-lab"),
            data_folder=Path(folder).expanduser() if folder else None,
            mirror=mirror,
            store_url=get("STORE"),
            scheduler=scheduler,
            scheduler_ca=files.get("CA"),
            scheduler_certificate=files.get("CERTIFICATE"),
            scheduler_key=files.get("KEY"),
            workers=whole_number("WORKERS", 256),
            device=cast(DeviceSetting, device),
            admins=frozenset(
                address.strip().lower() for address in (get("ADMINS") or "").split(",") if address.strip()
            ),
            limits=Limits(**{name: limit for name, limit in limits.items() if limit is not None}),
        )

    def on_this_machine(self) -> Self:
        """The server's settings as a worker uses them: one of an existing cluster may run on another machine.

        Such a worker keeps and finds things where its own environment says; a mirror serves all.
        """
        if self.scheduler is None:
            return self
        own = self.from_environment()
        mirror = own.mirror or self.mirror
        return replace(self, home=own.home, data_folder=own.data_folder, mirror=mirror, device=own.device)

    @property
    def data_cache(self) -> Path:
        """The folder that holds checked data files."""
        return self.home / "data"

    @property
    def database_url(self) -> str:
        """The store's SQLAlchemy URL."""
        if self.store_url:
            return self.store_url
        from sqlalchemy import URL  # here: a server that starts need not wait for it

        # A folder's name may hold what has a meaning in an address.
        file = URL.create("sqlite", database=str(self.home.absolute() / "runs.sqlite"))
        return file.render_as_string(hide_password=False)


def _check_scheduler(address: str, files: Mapping[str, Path]) -> None:
    """Raise ValueError where a scheduler cannot be reached safely.

    Without TLS anybody who reaches its port runs code on all machines, and reads the store's password on the wire.
    """
    parsed = _SCHEDULER.fullmatch(address)
    if parsed is None or not 1 <= int(parsed["port"]) <= 65535:
        raise ValueError(
            "DROPOUT_LAB_SCHEDULER must be an encrypted address such as tls://scheduler.example.org:8786, "
            f"got {_without_password(address)!r}; docs/several_machines.md shows how to start such a scheduler"
        )
    for name in _SCHEDULER_FILES:
        file = files.get(name)
        if file is None or not file.is_file():
            got = "it is not set" if file is None else f"there is no file {str(file)!r}"
            raise ValueError(
                f"DROPOUT_LAB_SCHEDULER needs DROPOUT_LAB_SCHEDULER_{name}, the path of a PEM file, but {got}; "
                "docs/several_machines.md shows how to make one"
            )


def _without_password(address: str) -> str:
    """An address as it may be shown, also where it is not well formed."""
    return re.sub(r"//.*@", "//", address)
