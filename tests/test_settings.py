from pathlib import Path

import pytest

from fmnist_core.settings import Limits, Settings
from fmnist_core.store.runs import Store

NAMES = ("HOME", "DATA", "MIRROR", "STORE", "WORKERS")
SCHEDULER_NAMES = ("SCHEDULER", "SCHEDULER_CA", "SCHEDULER_CERTIFICATE", "SCHEDULER_KEY")

CLASS_NAMES = ("ADMINS", "WAITING_RUNS", "VISITOR_RUNS", "EPOCHS", "STORED_GIGABYTES", "WAITING_MAPS")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    for name in (*NAMES, *SCHEDULER_NAMES, *CLASS_NAMES):
        monkeypatch.delenv(f"DROPOUT_LAB_{name}", raising=False)


def test_everything_has_a_default_in_the_users_own_folder():
    settings = Settings.from_environment()
    assert settings.home.is_absolute()
    assert settings.database_url == f"sqlite:///{settings.home}/runs.sqlite"
    assert settings.data_cache == settings.home / "data"


def test_each_variable_is_read(monkeypatch, tmp_path):
    values = (str(tmp_path), "~/files", "https://example.org/f/", "postgresql://db/lab", "3")
    for name, value in zip(NAMES, values, strict=True):
        monkeypatch.setenv(f"DROPOUT_LAB_{name}", value)
    settings = Settings.from_environment()
    assert settings.home == tmp_path
    assert settings.data_folder == Path("~/files").expanduser()
    assert settings.mirror == "https://example.org/f/"
    assert settings.database_url == "postgresql://db/lab"
    assert settings.workers == 3


@pytest.fixture
def scheduler_files(monkeypatch, tmp_path):
    files = {name: tmp_path / f"{name}.pem" for name in SCHEDULER_NAMES[1:]}
    for name, file in files.items():
        file.touch()
        monkeypatch.setenv(f"DROPOUT_LAB_{name}", str(file))
    return files


@pytest.mark.parametrize("address", ["tls://host:8786", "tls://lab.example:1", "tls://[::1]:8786"])
def test_a_scheduler_comes_with_its_files(monkeypatch, scheduler_files, address):
    monkeypatch.setenv("DROPOUT_LAB_SCHEDULER", address)
    settings = Settings.from_environment()
    assert settings.scheduler == address
    found = (settings.scheduler_ca, settings.scheduler_certificate, settings.scheduler_key)
    assert found == tuple(scheduler_files.values())


@pytest.mark.parametrize(
    "address",
    [
        *("tcp://host:8786", "host:8786", "tls://host", "tls://host:notaport", "foo://x", "tls://me:secret@host:1"),
        *("tls://:8786", "tls://host:99999", "tls://host:0"),
    ],
)
def test_a_scheduler_that_is_open_or_no_address_is_refused(monkeypatch, scheduler_files, address):
    monkeypatch.setenv("DROPOUT_LAB_SCHEDULER", address)
    with pytest.raises(ValueError, match="DROPOUT_LAB_SCHEDULER must be an encrypted address") as refused:
        Settings.from_environment()
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("name", SCHEDULER_NAMES[1:])
def test_each_file_that_a_scheduler_needs_is_asked_for(monkeypatch, scheduler_files, name):
    monkeypatch.setenv("DROPOUT_LAB_SCHEDULER", "tls://host:8786")
    scheduler_files[name].unlink()
    with pytest.raises(ValueError, match=f"DROPOUT_LAB_{name}.*no file"):
        Settings.from_environment()
    monkeypatch.delenv(f"DROPOUT_LAB_{name}")
    with pytest.raises(ValueError, match=f"DROPOUT_LAB_{name}.*not set"):
        Settings.from_environment()


@pytest.mark.parametrize("name", ["a%41b", "what?", "one#two", "with spaces", "Größe 大", "x@y:z", "mode=ro&uri=true"])
def test_a_home_folder_may_have_any_name(tmp_path, name):
    Store(Settings(home=tmp_path / name).database_url).close()
    assert (tmp_path / name / "runs.sqlite").is_file()
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


def test_settings_are_logged_without_passwords(monkeypatch):
    settings = Settings(store_url="postgresql://me:hunter2@db/lab", mirror="https://me:hunter2@mirror/f")
    assert "hunter2" not in repr(settings)
    monkeypatch.setenv("DROPOUT_LAB_MIRROR", "ftp://me:hunter2@mirror/f")
    with pytest.raises(ValueError, match="ftp://mirror/f") as refused:
        Settings.from_environment()
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [("MIRROR", "ftp://x"), ("WORKERS", "0"), ("WORKERS", "two"), ("DEVICE", "gpu"), ("DEVICE", "CPU")],
)
def test_an_unusable_value_is_named(monkeypatch, name, value):
    monkeypatch.setenv(f"DROPOUT_LAB_{name}", value)
    with pytest.raises(ValueError, match=f"DROPOUT_LAB_{name}.*{value}"):
        Settings.from_environment()


@pytest.mark.parametrize("device", ["auto", "cpu", "cuda"])
def test_a_device_is_read(monkeypatch, device):
    monkeypatch.setenv("DROPOUT_LAB_DEVICE", device)
    assert Settings.from_environment().device == device


def test_a_worker_elsewhere_trains_on_the_device_of_its_own_machine(monkeypatch):
    monkeypatch.setenv("DROPOUT_LAB_DEVICE", "cuda")
    assert Settings(scheduler="tls://host:8786", device="cpu").on_this_machine().device == "cuda"
    assert Settings(device="cpu").on_this_machine().device == "cpu"


def test_what_a_class_may_ask_for_is_read(monkeypatch):
    for name, value in zip(CLASS_NAMES, ("Ada@Example.org, bob@example.org,", "1", "2", "3", "4", "5"), strict=True):
        monkeypatch.setenv(f"DROPOUT_LAB_{name}", value)
    settings = Settings.from_environment()
    assert settings.admins == {"ada@example.org", "bob@example.org"}
    assert settings.limits == Limits(waiting_runs=1, visitor_runs=2, epochs=3, stored_gigabytes=4, waiting_maps=5)


@pytest.mark.parametrize(("name", "value"), [("EPOCHS", "201"), ("VISITOR_RUNS", "-1"), ("WAITING_MAPS", "1.5")])
def test_a_limit_that_is_no_usable_number_is_named(monkeypatch, name, value):
    monkeypatch.setenv(f"DROPOUT_LAB_{name}", value)
    with pytest.raises(ValueError, match=f"DROPOUT_LAB_{name} must be a whole number"):
        Settings.from_environment()


def test_an_empty_variable_counts_as_unset(monkeypatch):
    monkeypatch.setenv("DROPOUT_LAB_MIRROR", " ")
    assert Settings.from_environment().mirror is None
