"""What visitors may do to one another's runs: two browsers at one server."""

from dataclasses import replace

import pytest
from streamlit.web.server.starlette.starlette_app_utils import generate_xsrf_token_string as token_string

from fmnist_core.comparison.study import Study
from fmnist_core.store.visitor import OPERATOR, NotYoursError, Visitor
from tests.page_lab import CONFIG, all_words, keys, press, texts
from ui import handles, visitors
from ui.forms import deletion, study_form

ADA, BOB = Visitor("ada"), Visitor("bob")


@pytest.fixture
def be(monkeypatch):
    """Be another visitor from now on."""
    now = [ADA]
    # Imported above: a module that is first imported while this holds would keep the stand-in for good.
    for module in (visitors, study_form, deletion):
        monkeypatch.setattr(module, "visitor", lambda: now[0])
    return lambda who: now.__setitem__(0, who)


def ask(lab, by, config=CONFIG):
    return lab.store.request(config, lab.dataset.name, lab.dataset.fingerprint, by)


def test_who_asks_is_remembered(lab, be):
    be(ADA)
    press(lab.open(), "train.start")
    (run,) = lab.store.runs()
    assert run.asked_by == "ada"


def test_a_run_of_somebody_else_cannot_be_stopped_or_deleted_and_says_why(lab, be):
    key = ask(lab, ADA)
    be(BOB)
    app = lab.open(run=key)
    button = app.button(key="train.stop")
    assert button.disabled
    assert "somebody else" in button.help
    with pytest.raises(NotYoursError):
        handles.delete_runs([key], BOB)
    assert lab.store.run(key).status == "queued"


def test_the_store_refuses_what_a_page_of_a_moment_ago_still_offers(lab, be):
    key = ask(lab, ADA)
    be(ADA)
    app = lab.open(run=key)
    be(BOB)
    press(app, "train.stop")
    assert any("asked for by somebody else" in text for text in texts(app.error))
    assert lab.store.run(key).status == "queued"


def test_ones_own_run_stops(lab, be):
    key = ask(lab, ADA)
    be(ADA)
    press(lab.open(run=key), "train.stop")
    assert lab.store.run(key).status == "stopped"


def test_stop_all_stops_ones_own(lab, be):
    base = replace(CONFIG, dropout=0.0)
    ask(lab, ADA, base)
    ask(lab, BOB, replace(base, dropout=0.2))
    be(BOB)
    app = lab.open("compare", **_address(base))
    press(app, "compare.stop")
    assert {run.asked_by: run.status for run in lab.store.runs()} == {"ada": "queued", "bob": "stopped"}


def _address(base):
    return Study(base=base, levels=(0.0, 0.2), seeds=1).to_address()


def test_a_deleted_run_is_gone_from_this_page_and_explained_on_another(lab, be):
    be(ADA)
    key = ask(lab, ADA)
    here, there = lab.open(run=key), lab.open(run=key)
    press(here, "train.delete")
    assert lab.store.runs() == []
    assert "run" not in here.query_params
    there.run()
    assert any("Run 1 was deleted" in text for text in texts(there.info))
    assert not there.exception
    assert "Nothing on the bench yet" in texts(there.subheader)


def test_a_deleted_run_comes_back_where_it_was_deleted(lab, be):
    be(ADA)
    key = ask(lab, ADA)
    app = press(lab.open(run=key), "train.delete")
    assert any("Deleted: Run 1" in text for text in texts(app.markdown))
    assert not any("Deleted: Run 1" in text for text in texts(lab.open().markdown))  # another visit of hers
    press(app, "train.undo0")
    assert lab.store.run(key).status == "queued"
    assert not app.exception


def test_what_a_deleted_networks_page_showed_is_drawn_anew(lab):
    key = lab.train()
    app = lab.open("inspect", run=key)
    handles.delete_runs([key], OPERATOR)
    app.run()
    assert not app.exception
    assert "No trained network yet" in all_words(app)
    assert "look.run" not in keys(app.selectbox)


@pytest.mark.parametrize(
    ("headers", "is_here"),
    [
        ({"Host": "localhost:8501", "Origin": "http://localhost:8501"}, True),
        ({"Host": "[::1]:8501"}, True),
        ({"Host": "lab.example.org", "Origin": "https://lab.example.org"}, False),
        ({"Host": "127.0.0.1:8501", "Origin": "https://lab.example.org"}, False),
        ({"Host": "127.0.0.1:8501", "X-Forwarded-For": "10.0.0.7"}, False),
    ],
)
def test_a_proxy_on_this_machine_is_not_its_user(monkeypatch, headers, is_here):
    context = type("Context", (), {"ip_address": None, "headers": headers, "cookies": {}})
    monkeypatch.setattr(visitors.st, "context", context)
    assert visitors.visitor().may_change_all is is_here


def test_a_browser_is_known_by_its_token_however_that_is_masked(monkeypatch):
    def name(cookie):
        cookies = {} if cookie is None else {visitors.XSRF_COOKIE_NAME: cookie}
        monkeypatch.setattr(
            visitors.st, "context", type("Context", (), {"ip_address": "10.0.0.7", "headers": {}, "cookies": cookies})
        )
        return visitors.visitor().name

    one, other = b"0123456789abcdef", b"fedcba9876543210"
    assert name(token_string(one)) == name(token_string(one)) != name(token_string(other))
    assert name(None) is None
    assert name("2|nonsense") is None
    assert one.hex() not in name(token_string(one))


@pytest.mark.parametrize(
    ("claims", "is_admin"),
    [
        ({"email": "Ada@example.org"}, True),
        ({"email": "ada@example.org", "email_verified": False}, False),
        ({"email": "eve@example.org", "email_verified": True}, False),
        ({}, False),
    ],
)
def test_with_sign_in_an_account_counts_and_not_the_machine(lab, monkeypatch, claims, is_admin):
    monkeypatch.setenv("DROPOUT_LAB_ADMINS", "ada@example.org")
    monkeypatch.setattr(visitors.sign_in, "is_required", lambda: True)
    monkeypatch.setattr(visitors.st, "user", {"iss": "https://id.example.org", "sub": "1", **claims})
    one = visitors.visitor()
    assert one.may_change_all is is_admin
    visitors.st.user["sub"] = "2"
    assert visitors.visitor().name != one.name
