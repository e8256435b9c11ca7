"""A Dask scheduler over TLS, and two workers in processes and folders of their own, as two machines would have."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest
from distributed import Client, Security

from fmnist_core.config import RunConfig
from fmnist_core.data.sources import load
from fmnist_core.data.split import split
from fmnist_core.jobs.dispatcher import Dispatcher
from fmnist_core.network.training import train
from fmnist_core.settings import Settings
from fmnist_core.store.runs import EPOCH_COLUMNS, Store
from tests.conftest import wait_until

CONFIG = RunConfig(hidden=(32,), epochs=1, batch_size=256)

# Dask's own threads and sockets end a moment after a client is closed.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def test_two_machines_train_what_one_would(tmp_path, files, database, start_process, real_data_mirror):
    found = tmp_path / "scheduler.json"
    packed = Path(url2pathname(urlsplit(real_data_mirror).path))
    tls = [f"--tls-ca-file={files['ca']}", f"--tls-cert={files['certificate']}", f"--tls-key={files['key']}"]
    common = ["--host=127.0.0.1", "--no-dashboard", f"--scheduler-file={found}", *tls]
    dask = [sys.executable, "-m", "dask"]
    only_tls = {"DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION": "True", "DROPOUT_LAB_MIRROR": ""}
    start_process(
        [*dask, "scheduler", "--protocol=tls", "--port=0", "--dashboard-address=127.0.0.1:0", *common],
        **only_tls,
    )
    wait_until(found.exists, "the scheduler starts")
    homes = [tmp_path / name for name in ("machine one", "machine two")]
    for home in homes:
        start_process(
            [*dask, "worker", "--nthreads=1", f"--local-directory={home / 'scratch'}", *common],
            **only_tls,
            DROPOUT_LAB_HOME=str(home),
            DROPOUT_LAB_DATA=str(packed),
        )
    address = json.loads(found.read_text())["address"]
    for other, security in ((address.replace("tls:", "tcp:"), None), (address, Security.temporary())):
        with pytest.raises(OSError, match=r"Timed out|handshake|certificate|refused|reset"):
            Client(other, timeout=1, set_as_default=False, security=security)

    settings = Settings(
        home=tmp_path / "server",
        store_url=database,
        scheduler=address,
        scheduler_ca=files["ca"],
        scheduler_certificate=files["certificate"],
        scheduler_key=files["key"],
    )
    data = load(replace(settings, home=tmp_path / "local", data_folder=packed))
    configs = [replace(CONFIG, seed=seed) for seed in range(2)]
    store = Store(database)
    keys = store.request_all(configs, data.name, data.fingerprint)
    with Dispatcher(store, settings):
        wait_until(lambda: all(not store.run(key).is_active for key in keys), "both runs end", 240)
    names = [name for name in EPOCH_COLUMNS if name != "seconds"]
    for key, config in zip(keys, configs, strict=True):
        assert store.run(key).status == "finished", store.run(key).error
        trained = [tuple(row) for row in store.epochs(key)[names].itertuples(index=False)]
        local = train(config, split(data, config.protocol, config.seed))
        assert trained == [tuple(getattr(result, name) for name in names) for result in local]
    store.close()
    assert all(any((home / "data").iterdir()) for home in homes), "each machine has its own data"
    assert not (tmp_path / "server").exists(), "and none used the server's folder"
