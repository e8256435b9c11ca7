"""A page's choices in its address: said, taken from links, and told apart from clicks that are on their way."""

import json

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.components import component_data
from ui.page_state import choice, number, switch


def page():
    import streamlit as st

    from ui.page_state import choice, number, switch
    from ui.views.page_title import page_title

    page_title(
        "page",
        "A question?",
        choice("metric", "page.metric", ["loss", "accuracy"], "loss"),
        number("sheet", "page.sheet", 0, 99),
        switch("often", "page.often"),
    )
    st.session_state.setdefault("page.metric", "loss")
    st.selectbox("Metric", ["loss", "accuracy"], key="page.metric")
    st.number_input("Sheet", 0, 99, key="page.sheet")
    st.toggle("Often", key="page.often")


def opened(**address):
    app = AppTest.from_function(page)
    app.query_params.update(address)
    return app.run()


def shown(app):
    return app.selectbox[0].value, app.number_input[0].value, app.toggle[0].value


def said(app):
    return component_data(app, "page.address")["said"]


def test_what_is_usual_is_not_said():
    app = opened()
    assert shown(app) == ("loss", 0, False)
    assert said(app) == {}


def test_a_link_is_shown():
    app = opened(metric="accuracy", sheet="7", often="on")
    assert shown(app) == ("accuracy", 7, True)
    assert said(app) == {"metric": "accuracy", "sheet": "7", "often": "on"}
    assert not app.warning


def test_a_choice_goes_into_the_address_and_orders_after_what_was_said_before():
    app = opened(sheet="7")
    before = component_data(app, "page.address")["changed_at"]
    app.selectbox[0].select("accuracy").run()
    assert said(app) == {"metric": "accuracy", "sheet": "7"}
    assert component_data(app, "page.address")["changed_at"] > before


def test_a_click_with_an_address_from_before_the_last_answer_is_no_link():
    app = opened()
    app.selectbox[0].select("accuracy").run()
    app.number_input[0].set_value(3).run()  # the browser has not put the first choice into the address yet
    assert shown(app) == ("accuracy", 3, False)
    assert said(app) == {"metric": "accuracy", "sheet": "3"}


def test_a_page_that_is_opened_from_the_menu_says_again_what_it_shows():
    app = opened()
    app.selectbox[0].select("accuracy").run()
    before = component_data(app, "page.address")["changed_at"]
    app.session_state["page_in_address"] = "another"
    app.run()
    assert shown(app) == ("accuracy", 0, False)
    assert said(app) == {"metric": "accuracy"}
    assert component_data(app, "page.address")["changed_at"] > before  # the browser's address is empty by then


def test_back_to_what_was_open_before_shows_it_as_it_was():
    app = opened(run="a")
    app.selectbox[0].select("accuracy").run()
    app.query_params.clear()
    app.query_params.update({"run": "b", "metric": "accuracy"})
    app.run()
    app.selectbox[0].select("loss").run()
    app.query_params.update({"run": "a", "metric": "accuracy"})  # an address that this page has said before
    app.run()
    assert shown(app) == ("accuracy", 0, False)
    app.query_params.clear()
    app.query_params.update({"run": "b"})
    app.run()
    assert shown(app) == ("loss", 0, False)


def test_what_a_callback_opens_leaves_choices_alone_though_the_address_is_not_up_to_date():
    def opening():
        import streamlit as st

        from ui import link
        from ui.page_state import choice
        from ui.views.page_title import page_title

        page_title("page", "A question?", choice("metric", "page.metric", ["loss", "accuracy"], "loss"))
        st.session_state.setdefault("page.metric", "loss")
        st.selectbox("Metric", ["loss", "accuracy"], key="page.metric")
        st.button("Open", on_click=link.replace, args=({"run"}, {"run": "b"}))

    app = AppTest.from_function(opening).run()
    app.selectbox[0].select("accuracy").run()
    app.button[0].click().run()  # from a browser that has not put the choice into its address yet
    for _ in range(2):  # also with the next click, if that is as quick
        assert app.query_params["run"] == "b"
        assert app.selectbox[0].value == "accuracy"
        assert said(app) == {"metric": "accuracy"}
        app.run()


def test_what_is_opened_elsewhere_on_the_page_leaves_choices_alone():
    app = opened(run="a")
    app.selectbox[0].select("accuracy").run()
    app.query_params.update({"run": "b", "metric": "accuracy"})
    app.run()
    assert shown(app) == ("accuracy", 0, False)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("metric", "a<b>c", "metric must be one of loss, accuracy, got 'a\\<b\\>c'"),
        ("sheet", "100", "sheet must be a whole number from 0 to 99, got '100'"),
        ("sheet", "-1", "sheet must be a whole number from 0 to 99, got '-1'"),
        ("sheet", "٣", "sheet must be a whole number from 0 to 99, got '٣'"),
        ("often", "yes", "often must be on or left out, got 'yes'"),
        ("metric", "x" * 3000, "metric is longer than 2,000 characters"),
    ],
)
def test_a_link_to_what_is_not_there_is_explained_and_the_rest_of_it_shown(name, text, words):
    app = opened(**{"metric": "accuracy", "sheet": "7", name: text})
    (warning,) = app.warning
    assert words in warning.value
    rest = {"metric": ("accuracy", "loss"), "sheet": (7, 0), "often": (True, False)}
    values = dict(zip(rest, shown(app), strict=True))
    assert values[name] == rest[name][1]
    assert all(values[other] == rest[other][0] for other in rest.keys() - {name, "often"})


def test_parts_of_a_page_say_what_they_know_and_leave_the_rest():
    def two():
        from ui.page_state import choice, follow_address, keep_in_address

        upper = choice("upper", "upper", ["a", "b"], "a")
        lower = choice("lower", "lower", ["a", "b"], "a")
        follow_address("two", upper, lower)
        keep_in_address("two", upper, lower, key="whole")
        keep_in_address("two", lower, key="part")

    app = AppTest.from_function(two)
    app.query_params.update({"upper": "b", "lower": "b", "utm_source": "chat"})
    app.run()
    sent = {element.key: json.loads(element.proto.json) for element in app.get("bidi_component")}
    assert sent["whole"]["said"] == {"upper": "b", "lower": "b"}
    assert (sent["part"]["said"], sent["part"]["names"]) == ({"lower": "b"}, ["lower"])
    assert sent["part"]["changed_at"] == sent["whole"]["changed_at"]


@pytest.mark.parametrize("state", [choice("a", "k", [0, 1], 0), number("a", "k", 0, 9), switch("a", "k")])
def test_what_is_said_is_taken_back(state, monkeypatch):
    monkeypatch.setattr(st, "session_state", {"k": 1})
    text = state.say()
    st.session_state.clear()
    state.take(text)
    assert st.session_state["k"] == 1
    state.take({})
    assert st.session_state["k"] == 0
