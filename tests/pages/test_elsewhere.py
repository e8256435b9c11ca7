"""Every page is drawn where Python lacks what only Linux has: the lab runs on macOS and Windows as well."""

import multiprocessing
import os
import sys

import pytest

LINUX_ONLY = ("sched_getaffinity", "sched_setaffinity", "posix_fadvise", "memfd_create", "fork", "getloadavg")


@pytest.fixture
def elsewhere(monkeypatch):
    for name in LINUX_ONLY:
        monkeypatch.delattr(os, name, raising=False)
    for module in ("fcntl", "resource"):
        monkeypatch.setitem(sys.modules, module, None)  # importing it fails
    context = multiprocessing.get_context
    monkeypatch.setattr(multiprocessing, "get_all_start_methods", lambda: ["spawn"])
    monkeypatch.setattr(multiprocessing, "get_context", lambda method=None: context("spawn"))


@pytest.mark.parametrize("page", ["train", "compare", "predict", "inspect", "data"])
def test_a_page_needs_nothing_that_only_linux_has(lab, elsewhere, page):
    key = lab.train()
    app = lab.open(page, **({"run": key} if page in {"predict", "inspect", "train"} else {}))
    assert not app.exception
    assert app.title
