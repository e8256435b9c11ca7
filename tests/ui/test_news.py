"""What the browser is told of runs that train, and when it draws the page anew."""

import json
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from tests.components import component_data
from tests.http import fetch
from tests.page_lab import CONFIG, keys, press, progress_bars
from ui.components import news
from ui.views import run_view


def ask(url, **query):
    return fetch(news.news_route(), url, **query)


def watched(lab, **address):
    """A page with a run that "a worker" trains, and where its news is asked for."""
    key = lab.ask()
    lab.store.leases.claim(key, "a worker")
    lab.record(key, 1, 0.5, best=b"weights")
    app = lab.open(run=key)
    return key, app, component_data(app, "train.watch")


def test_nothing_new_is_answered_with_nothing(lab):
    _, _, data = watched(lab)
    answer = ask(data["url"], since=data["tag"])
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["cache-control"] == "no-store"


def test_progress_within_an_epoch_moves_the_bar_and_leaves_the_page(lab):
    key, _, data = watched(lab)
    lab.store.leases.beat(key, "a worker", 0.5)
    told = ask(data["url"], since=data["tag"]).json()
    assert told["share"] == pytest.approx(1.5 / CONFIG.epochs)
    assert told["version"] == data["version"]
    assert ask(data["url"], since=told["tag"]).status == 204


def test_the_loss_within_the_first_epoch_moves_its_chart_alone(lab):
    key = lab.ask()
    lab.store.leases.claim(key, "a worker")
    app = lab.open(run=key)
    data = component_data(app, "train.watch")
    assert data["is_urgent"]
    lab.store.leases.beat(key, "a worker", 0.5, [(0.25, 2.0), (0.375, 1.5)])
    told = ask(data["url"], since=data["tag"], edition=data["edition"]).json()
    assert told["version"] == data["version"], "the script need not run"
    assert json.loads(told["contents"]["train.loss"])["data"][-1]["y"] == [2.0, 1.5]
    assert told["contents"]["train.accuracy"] == component_data(app, "train.accuracy")["figure"]
    lab.record(key, 1, 0.5, best=b"weights")
    told = ask(data["url"], since=told["tag"], edition=told["edition"]).json()
    assert not told["is_urgent"]
    lab.store.cancel(key)
    assert ask(data["url"], since=told["tag"], edition=told["edition"]).json()["is_urgent"]


def test_a_run_that_ends_while_its_page_is_drawn_draws_the_page_anew(lab, monkeypatch):
    key = lab.ask()
    lab.store.leases.claim(key, "a worker")
    lab.record(key, 1, 0.5, best=b"weights")
    tell = run_view.run_news

    def end_first(key):
        if lab.store.run(key).is_active:
            lab.store.leases.end(key, "a worker", "stopped", last=b"weights")
        return tell(key)

    monkeypatch.setattr(run_view, "run_news", end_first)
    data = component_data(lab.open(run=key), "train.watch")
    assert not lab.store.run(key).is_active
    told = ask(data["url"], since=data["tag"], edition=data["edition"]).json()
    assert told["version"] != data["version"], "what the page drew is of the run before"


def test_a_run_that_is_stopped_before_its_first_epoch_loses_the_losses_that_news_brought(lab):
    key = lab.ask()
    lab.store.leases.claim(key, "a worker")
    app = lab.open(run=key)
    before, watch = component_data(app, "train.loss"), component_data(app, "train.watch")
    lab.store.leases.beat(key, "a worker", 0.5, [(0.25, 2.0), (0.375, 1.5)])
    told = ask(watch["url"], since=watch["tag"], edition=watch["edition"]).json()
    assert told["contents"]["train.loss"] != before["figure"]
    lab.store.leases.end(key, "a worker", "stopped")
    app.run()
    after = component_data(app, "train.loss")
    assert json.loads(after["figure"])["data"] == json.loads(before["figure"])["data"]
    assert after["edition"] != before["edition"], "or the browser would not know that it is to be drawn again"


def test_a_run_that_has_waited_for_long_is_asked_after_less_often(lab, monkeypatch):
    key = lab.ask()
    data = component_data(lab.open(run=key), "train.watch")
    assert data["is_urgent"]
    assert data["urgent_seconds"] < data["seconds"]
    monkeypatch.setattr(run_view, "_STARTING_SECONDS", 0.0)
    assert not ask(data["url"]).json()["is_urgent"]


def test_an_epoch_brings_what_the_page_would_draw_and_leaves_its_script(lab):
    key, app, data = watched(lab)
    lab.record(key, 2, 0.4, best=b"weights")
    told = ask(data["url"], since=data["tag"], edition=data["edition"]).json()
    contents = told.pop("contents")
    assert told["version"] == data["version"]
    assert told["text"].startswith(f"Epoch 3 of {CONFIG.epochs}")
    app.run()
    drawn = component_data(app, "train.watch")
    assert {name: drawn[name] for name in told} == told
    for chart in ("train.loss", "train.accuracy"):
        assert component_data(app, chart)["figure"] == contents[chart]
    for part in ("train.diagnosis", "train.table"):
        assert component_data(app, part)["html"] == contents[part]


def test_contents_that_the_page_has_are_not_sent_again(lab):
    key, _, data = watched(lab)
    lab.store.leases.beat(key, "a worker", 0.5)
    assert "contents" not in ask(data["url"], since=data["tag"], edition=data["edition"]).json()


def test_the_first_epoch_draws_the_page_anew_since_it_gets_other_parts(lab):
    key = lab.ask()
    lab.store.leases.claim(key, "a worker")
    data = component_data(lab.open(run=key), "train.watch")
    lab.record(key, 1, 0.5, best=b"weights")
    assert ask(data["url"], since=data["tag"]).json()["version"] != data["version"]


def test_a_run_that_has_finished_is_no_longer_watched(lab):
    key, app, data = watched(lab)
    lab.store.leases.end(key, "a worker", "finished", last=b"weights")
    assert ask(data["url"], since=data["tag"]).json()["version"] != data["version"]
    app.run()
    assert not [one for one in app.get("bidi_component") if "tag" in json.loads(one.proto.json)]


@pytest.mark.parametrize("status", ["stopped", "failed"])
def test_a_run_that_goes_on_in_another_tab_is_seen(lab, status):
    key, app, _ = watched(lab)
    lab.store.leases.end(key, "a worker", status, error="lost")
    app.run()
    quiet = component_data(app, "train.watch")
    assert quiet["is_quiet"]
    assert not progress_bars(app)
    assert ask(quiet["url"], since=quiet["tag"]).status == 204
    lab.ask()
    assert ask(quiet["url"], since=quiet["tag"]).json()["version"] != quiet["version"]
    app.run()
    assert not component_data(app, "train.watch")["is_quiet"]
    assert "train.stop" in keys(app.button)


def test_a_comparison_that_is_run_in_another_tab_is_seen(lab):
    app = lab.open("compare", hidden="16")
    quiet = component_data(app, "compare.watch")
    assert quiet["is_quiet"]
    press(lab.open("compare", hidden="16"), "compare.start")
    assert ask(quiet["url"], since=quiet["tag"]).json()["version"] != quiet["version"]
    app.run()
    assert not component_data(app, "compare.watch")["is_quiet"]


def test_all_visitors_of_a_run_ask_at_one_address(lab):
    key, _, data = watched(lab)
    assert component_data(lab.open(run=key), "train.watch") == data


def test_a_comparison_is_watched_as_a_whole(lab):
    app = lab.open("compare")
    app.text_input(key="compare.hidden").set_value("16")
    press(app, "compare.start")
    data = component_data(app, "compare.watch")
    assert (data["share"], data["text"]) == (0, "0 of 2 runs finished · place 1 in line")
    first = lab.store.runs()[-1].key
    lab.store.leases.claim(first, "a worker")
    lab.store.leases.beat(first, "a worker", 0.9)
    told = ask(data["url"], since=data["tag"]).json()
    assert told["share"] == pytest.approx(0.9 / 30 / 2)


def test_an_epoch_of_a_comparison_brings_the_curves_that_the_visitor_looks_at(lab):
    app = lab.open("compare")
    app.text_input(key="compare.hidden").set_value("16")
    press(app, "compare.start")
    for key in (run.key for run in lab.store.runs()):
        lab.store.leases.claim(key, "a worker")
        lab.record(key, 1, 0.5, best=b"weights")
    app.segmented_control(key="compare.layout").set_value("overlay").run()
    data = component_data(app, "compare.watch")
    lab.record(lab.store.runs()[0].key, 2, 0.4, best=b"weights")
    told = ask(data["url"], since=data["tag"], edition=data["edition"]).json()
    assert told["version"] == data["version"]
    app.run()
    assert told["contents"] == {"compare.overlay": component_data(app, "compare.overlay")["figure"]}


def test_what_this_server_never_drew_is_not_found():
    news._topics.clear()
    assert ask("/assets/news/" + "0" * 16).status == 404


def test_a_store_that_fails_is_told_in_a_sentence(lab):
    _, _, data = watched(lab)
    lab.fail("changed_runs")
    answer = ask(data["url"], since=data["tag"])
    assert (answer.status, answer.body) == (503, b"the run store cannot be read (disk I/O error).")


def test_the_topics_that_are_kept_are_bounded(monkeypatch, lab):
    monkeypatch.setattr(news, "_KEPT_TOPICS", 2)
    news._topics.clear()
    urls = [
        component_data(lab.open(run=lab.ask(replace(CONFIG, seed=seed))), "train.watch")["url"] for seed in range(3)
    ]
    assert [ask(url).status for url in urls] == [404, 200, 200]
    assert all(urlsplit(url).path == url for url in urls)


def test_what_is_quiet_asks_seldom_unless_told_otherwise(lab):
    app = lab.open("runs")
    assert component_data(app, "runs.watch")["is_quiet"]
    seldom = component_data(app, "runs.watch")["seconds"]
    lab.ask()
    assert component_data(app.run(), "runs.watch")["seconds"] < seldom
