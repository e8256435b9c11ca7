"""Dropout Lab's front door: `streamlit run app.py` starts the server, which runs ui/main.py for each visitor.

It imports what a server needs to answer, and no more. The script of the visitors lies in a folder without a `pages`
folder beside it: otherwise Streamlit would take over the menu when a fresh server is first opened at a page's own
address.
"""

import streamlit as st
from starlette.middleware import Middleware

from ui.components.image_route import image_route
from ui.components.news import news_route
from ui.components.plotly_js import plotly_route
from ui.headers import Closed, SafeHeaders
from ui.health import health_route
from ui.server import explain_error, lifespan
from ui.sign_in import Gate

app = st.App(
    "ui/main.py",
    lifespan=lifespan,
    routes=[plotly_route(), image_route(), news_route(), health_route()],
    middleware=[Middleware(SafeHeaders), Middleware(Gate), Middleware(Closed)],
    on_script_error=explain_error,
)

if __name__ == "__main__":  # run as a plain Streamlit script
    from ui import frame

    frame.draw()
