import threading

import pytest

from fmnist_core.config import RunConfig
from fmnist_core.store.backup import BackupError, copy_checked, main
from fmnist_core.store.runs import Store
from tests.conftest import epoch_result


@pytest.fixture
def key(store, monkeypatch, settings):
    monkeypatch.setenv("DROPOUT_LAB_HOME", str(settings.home))
    monkeypatch.delenv("DROPOUT_LAB_STORE", raising=False)
    key = store.request(RunConfig(hidden=(16,), epochs=100), "Tiny", "f" * 16)
    store.leases.claim(key, "me")
    store.leases.record_epoch(key, "me", epoch_result(), b"state", b"weights")
    return key


def test_a_store_is_copied_while_it_is_written_and_restored(store, key, settings, tmp_path):
    copy, ending = tmp_path / "copy.sqlite", threading.Event()

    def write():
        while not ending.is_set():
            store.leases.beat(key, "me", 0.5)

    writer = threading.Thread(target=write)
    writer.start()
    assert main([str(copy)]) == 0
    ending.set()
    writer.join()
    store.leases.record_epoch(key, "me", epoch_result(2), b"later", None)
    store.close()
    assert main(["--restore", str(copy), "--overwrite"]) == 0
    restored = Store(settings.database_url)
    assert restored.run(key).epochs_done == 1
    assert restored.weights(key, "best").content == b"weights"
    restored.close()


def test_nothing_is_overwritten_without_being_told(key, settings, tmp_path, capsys):
    copy = tmp_path / "copy.sqlite"
    assert main([str(copy)]) == 0
    before = copy.read_bytes()
    assert main([str(copy)]) == 1
    assert main(["--restore", str(copy)]) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert copy.read_bytes() == before


@pytest.mark.parametrize("content", [b"no database" * 500, b""])
def test_a_copy_that_is_no_store_is_not_restored(key, store, content, tmp_path):
    broken, target = tmp_path / "broken.sqlite", tmp_path / "target.sqlite"
    broken.write_bytes(content)
    with pytest.raises(BackupError, match="cannot be copied"):
        copy_checked(broken, target)
    assert not target.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken.sqlite", "home"]
