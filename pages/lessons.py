"""Lessons: six questions about overfitting and dropout, each answered by the learner's own runs."""

import streamlit as st

from fmnist_core.lessons.course import COURSE
from fmnist_core.lessons.lesson_link import PARAMETER
from fmnist_core.wording import counted
from ui.learner import learner
from ui.page_files import PAGES
from ui.views.page_title import page_title

page_title("lessons", "Guess, train, see")
st.write(
    "Six short lessons. Each sets a page up, asks what you expect, and lets a run of your own answer: with a seed that "
    "is yours alone, in under a minute where the server has little else to do. What you have set up on the other "
    "pages is kept aside, and comes back when you leave a lesson."
)
done = learner().done
if done:
    st.progress(len(done) / len(COURSE), text=f"{len(done)} of {counted(len(COURSE), 'lesson')} done")
for number, course in enumerate(COURSE, 1):
    with st.container(border=True):
        st.page_link(
            PAGES / f"{course.lesson.page}.py",
            label=f"**{number}. {course.lesson.title}**",
            icon=":material/check_circle:" if course.name in done else ":material/arrow_forward:",
            query_params={PARAMETER: course.name},
        )
        st.caption(f"{course.about} **Done.**" if course.name in done else course.about)
st.subheader("For teachers", anchor=False)
st.write(
    "Every page can become a lesson: set it up as your class should find it, and choose **Make a lesson of this page** "
    "at its foot. The link holds all of it."
)
