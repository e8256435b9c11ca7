"""How far the runs of a comparison are, in words."""

from collections.abc import Sequence

import streamlit as st

from fmnist_core.comparison.arms import ArmRun
from fmnist_core.comparison.progress import Progress
from ui import handles
from ui.wording import duration, plain


def say_state(runs: Sequence[ArmRun], progress: Progress) -> None:
    """Say what keeps a comparison from being whole: never asked for, failed runs, or stopped ones."""
    if not progress.asked_for:
        with st.container(border=True):
            st.subheader("Not run here yet", anchor=False)
            st.write(
                "The address describes an experiment that this server has not run. Its settings are in the form: "
                "press **Compare** to run it."
            )
        return
    if failed := [arm.run for arm in runs if arm.run is not None and arm.run.status == "failed"]:
        reason = plain((failed[0].error or "").rstrip("."))
        st.error(
            f"{len(failed)} of {progress.total} runs failed. Run {failed[0].number}: {reason}.", icon=":material/error:"
        )
    if not progress.active and progress.finished < progress.total:
        st.info(
            f"{progress.finished} of {progress.total} runs have finished. Press **Compare** to go on with the rest.",
            icon=":material/info:",
        )


def progress_words(progress: Progress) -> str:
    """ "3 of 10 runs finished · 40 s left"."""
    left = "" if progress.seconds_left is None else f" · {duration(progress.seconds_left)} left"
    place = "" if progress.place is None else f" · place {progress.place} in line"
    text = f"{progress.finished} of {progress.total} runs finished{place}{left}"
    if progress.active and (problem := handles.dispatcher().workers_problem()):
        text = f"{text} · waiting: {problem}"
    return text
