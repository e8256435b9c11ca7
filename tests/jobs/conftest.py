"""What tests of clusters share."""

import pytest
from distributed import Security

from fmnist_core.data.sources import draw
from tests.jobs.real_runs import CONFIG


@pytest.fixture(scope="session")
def garments():
    """The drawn garments, which every process can make for itself."""
    return draw()


@pytest.fixture
def ask(store, garments):
    """Ask for a run on them; its key."""
    return lambda config=CONFIG: store.request(config, garments.name, garments.fingerprint)


@pytest.fixture
def scheduler_files(tmp_path):
    """What `Settings` say of a scheduler that is certified by itself, and its security."""
    security = Security.temporary()
    contents = (security.tls_ca_file, security.tls_client_cert, security.tls_client_key)
    files = {name: tmp_path / f"{name}.pem" for name in ("scheduler_ca", "scheduler_certificate", "scheduler_key")}
    for file, content in zip(files.values(), contents, strict=True):
        file.write_text(content)
    return files, security
