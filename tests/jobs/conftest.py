"""What tests of clusters share."""

import pytest
from distributed import Security


@pytest.fixture
def scheduler_files(tmp_path):
    """What `Settings` say of a scheduler that is certified by itself, and its security."""
    security = Security.temporary()
    contents = (security.tls_ca_file, security.tls_client_cert, security.tls_client_key)
    files = {name: tmp_path / f"{name}.pem" for name in ("scheduler_ca", "scheduler_certificate", "scheduler_key")}
    for file, content in zip(files.values(), contents, strict=True):
        file.write_text(content)
    return files, security
