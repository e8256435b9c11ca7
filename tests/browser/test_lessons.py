"""A lesson from its link to its answer, dropout step by step, and a teacher's link: in a real browser."""

import re

from playwright.sync_api import Page, expect

from fmnist_core.lessons.lesson import Lesson
from fmnist_core.lessons.lesson_link import lesson_to_text
from tests.browser.conftest import expect_complete

ANCHORS = "[...document.querySelectorAll('[data-testid=stMain] a')].map(anchor => anchor.href)"
HOSTILE = (
    "**b** http://a.example/x www.a.example me@a.example [x](http://a.example) <img src=x onerror=alert(1)> $x^2$ "
    ":red[r] :material/close: &lt; `c`"
)


def is_as_wide_as_its_window(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_two_lessons_from_a_guess_to_the_answer_and_back_to_ones_own_work(lab, open_page, snap):
    page = open_page(f"{lab}/train")
    expect(page.get_by_label("Hidden layers", exact=True)).to_be_visible(timeout=240_000)  # a server that just started
    page.get_by_label("Hidden layers", exact=True).fill("48, 24")
    page.get_by_label("Hidden layers", exact=True).press("Enter")
    expect(page.get_by_text("39,106 parameters")).to_be_visible()
    page.get_by_role("link", name="Lessons").first.click()
    page.get_by_role("link", name="1. What overfitting looks like").click()
    page.wait_for_url("**lesson=overfitting*")
    expect(page.get_by_text("What does validation loss do over the 30 epochs?")).to_be_visible()
    expect(page.get_by_role("button", name="Train", exact=True)).to_have_count(0)
    page.get_by_text("it falls, then levels off", exact=True).click()
    expect(page.get_by_text("Now press Train below.")).to_be_visible()
    expect_complete(page)
    expect(page.get_by_label("Hidden layers", exact=True)).to_have_count(0)
    page.get_by_role("button", name="Train", exact=True).click()
    answer = page.get_by_text(re.compile("As you guessed|You guessed: it falls, then levels off|give none of these"))
    expect(answer).to_be_visible(timeout=240_000)
    snap(page, "answer")

    page.get_by_role("link", name="Next: What dropout does").click()
    page.get_by_text("it gets smaller", exact=True).click()
    expect(page.get_by_text("Now press Compare below.")).to_be_visible()
    expect_complete(page)
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.get_by_role("button", name="Try another seed")).to_be_visible(timeout=240_000)
    drawing = page.locator(".live-chart").first
    expect(drawing).to_have_attribute("aria-label", re.compile("Hidden units that dropout kept: [0-9]+ of 256"))
    first = drawing.get_attribute("aria-label")
    page.get_by_role("button", name="Next step").click()
    expect(drawing).not_to_have_attribute("aria-label", first)
    expect(page.get_by_role("button", name="Previous step")).to_be_enabled()
    page.get_by_role("button", name="Previous step").click()
    expect(drawing).to_have_attribute("aria-label", first)
    snap(page, "dropout")

    page.get_by_role("button", name="Reset", exact=True).click()
    page.wait_for_url(lambda url: "lesson" not in url)
    page.get_by_role("link", name="Train").first.click()
    expect(page.get_by_label("Hidden layers", exact=True)).to_have_value("48, 24")
    page.get_by_role("link", name="Lessons").first.click()
    expect(page.get_by_text("2 of 6 lessons done")).to_be_visible()


def test_a_teachers_link_from_the_form_to_a_fresh_browser(lab, open_page, snap):
    page = open_page(f"{lab}/data")
    page.get_by_role("button", name="Other samples").click()
    page.wait_for_url("**samples=1*")
    page.get_by_text("Make a lesson of this page").click()
    for label, text in (("Title", "Look closely"), ("Task", "Find the shirts."), ("Question", "Which are shirts?")):
        page.get_by_label(label, exact=True).fill(text)
        page.get_by_label(label, exact=True).press("Tab")
    page.get_by_role("button", name="Copy the lesson's link").click()
    link = page.get_by_role("textbox", name="The link to this page").input_value()
    assert link.startswith(f"{lab}/data?samples=1&lesson="), link

    fresh = open_page(link, width=390, dark=True)
    expect(fresh.get_by_role("heading", name="Look closely")).to_be_visible()
    expect(fresh.get_by_text("Find the shirts.")).to_be_visible()
    expect(fresh.get_by_text("Samples of each class")).to_have_count(0)
    # By keyboard alone: to the field, the answer, the button.
    fresh.get_by_label("Which are shirts?").focus()
    fresh.keyboard.type("the last ones")
    fresh.keyboard.press("Control+Enter")
    fresh.get_by_role("button", name="Answer").focus()
    fresh.keyboard.press("Enter")
    expect(fresh.get_by_text("Your answer: the last ones")).to_be_visible()
    expect(fresh.get_by_text("Samples of each class")).to_be_visible()
    assert is_as_wide_as_its_window(fresh)
    snap(fresh, "phone-dark")


def test_a_hostile_link_shows_its_words_letter_by_letter_and_leads_nowhere(lab, open_page):
    lesson = Lesson(
        page="data",
        title=HOSTILE[:80],
        task=f"{HOSTILE}\n# head\n- list\n    code",
        question=HOSTILE,
        answers=("http://a.example and *x*", "# h [l](http://a.example)", "- www.a.example <b>x</b>"),
    )
    page = open_page(f"{lab}/data?lesson={lesson_to_text(lesson)}", width=390)
    choice = page.get_by_role("radiogroup")
    expect(choice).to_be_visible()
    said = page.get_by_test_id("stMain").inner_text().replace("\N{WORD JOINER}", "")
    for words in (lesson.title, lesson.task, lesson.question, *lesson.answers):
        assert words in said
    assert page.evaluate(ANCHORS) == []
    assert page.locator("[data-testid=stMain] img").count() == 0
    assert is_as_wide_as_its_window(page)
    choice.get_by_role("radio").first.focus()
    page.keyboard.press("Space")
    expect(page.get_by_text("Samples of each class")).to_be_visible()
    assert page.evaluate(ANCHORS) == []
