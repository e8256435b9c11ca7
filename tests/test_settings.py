from pathlib import Path

import pytest

from fmnist_core.settings import Settings

NAMES = ("HOME", "DATA", "MIRROR", "STORE", "SCHEDULER", "WORKERS")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(f"DROPOUT_LAB_{name}", raising=False)


def test_everything_has_a_default_in_the_users_own_folder():
    settings = Settings.from_environment()
    assert settings.home.is_absolute()
    assert settings.database_url == f"sqlite:///{settings.home}/runs.sqlite"
    assert settings.data_cache == settings.home / "data"


def test_each_variable_is_read(monkeypatch, tmp_path):
    values = (str(tmp_path), "~/files", "https://example.org/f/", "postgresql://db/lab", "tcp://host:8786", "3")
    for name, value in zip(NAMES, values, strict=True):
        monkeypatch.setenv(f"DROPOUT_LAB_{name}", value)
    settings = Settings.from_environment()
    assert settings.home == tmp_path
    assert settings.data_folder == Path("~/files").expanduser()
    assert settings.mirror == "https://example.org/f/"
    assert settings.database_url == "postgresql://db/lab"
    assert (settings.scheduler, settings.workers) == ("tcp://host:8786", 3)


@pytest.mark.parametrize(("name", "value"), [("MIRROR", "ftp://x"), ("WORKERS", "0"), ("WORKERS", "two")])
def test_an_unusable_value_is_named(monkeypatch, name, value):
    monkeypatch.setenv(f"DROPOUT_LAB_{name}", value)
    with pytest.raises(ValueError, match=f"DROPOUT_LAB_{name}.*{value}"):
        Settings.from_environment()


def test_an_empty_variable_counts_as_unset(monkeypatch):
    monkeypatch.setenv("DROPOUT_LAB_MIRROR", " ")
    assert Settings.from_environment().mirror is None


@pytest.mark.parametrize("address", ["localhost:notaport", "foo://x", "foo://x:1", "host", "tcp://:8786", "host:99999"])
def test_a_schedulers_address_is_checked_when_it_is_read(monkeypatch, address):
    monkeypatch.setenv("DROPOUT_LAB_SCHEDULER", address)
    with pytest.raises(ValueError, match=r"DROPOUT_LAB_SCHEDULER must be .* got"):
        Settings.from_environment()


@pytest.mark.parametrize(
    "address", ["localhost:8786", "tcp://10.0.0.1:8786", "tls://lab.example:1", "tcp://[::1]:8786"]
)
def test_a_schedulers_address_is_taken_as_it_is(monkeypatch, address):
    monkeypatch.setenv("DROPOUT_LAB_SCHEDULER", address)
    assert Settings.from_environment().scheduler == address
