"""What the server runs for each visitor.

Python starts child processes, Dask's workers among them, by importing the parent's main script. This guard keeps
them from importing Streamlit and the pages.
"""

if __name__ == "__main__":
    from ui.server import wait_for_imports

    wait_for_imports()
    from ui import frame

    frame.draw()
