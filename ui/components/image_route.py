"""Serves single images of the data set in use, so that a page can show many and send the pixels of none."""

from io import BytesIO

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ui import sign_in
from ui.components.addresses import asset_address, asset_path


def image_folder(fingerprint: str) -> str:
    """What comes before the names of a data set's images in their addresses; each ends in `.png`.

    The fingerprint lets caches keep them for good.
    """
    return asset_address(f"images/{fingerprint}/")


def image_route() -> Route:
    """The route for `st.App(routes=[...])`; make it after Streamlit has read its settings."""
    return Route(asset_path("images/{fingerprint}/{name}.png"), _respond)


def _respond(request: Request) -> Response:
    # Not async, so that Starlette answers in a thread and other sessions do not wait. Its imports are not the module's:
    # the route is there before Streamlit's caches are, and before the server answers.
    from PIL import Image

    from fmnist_core.data.image_name import ImageName
    from ui import handles

    dataset = handles.data().dataset
    if dataset is None or dataset.fingerprint != request.path_params["fingerprint"]:
        return _missing("These are not the data in use. Reload the page that shows this image.")
    try:
        pixels, _label = ImageName.parse(request.path_params["name"]).find(dataset)
    except ValueError as error:
        return _missing(f"There is no such image: {error}.")
    file = BytesIO()
    # The quickest compression: a grid asks for hundreds at once, and none has more than 784 bytes to save.
    Image.fromarray(pixels).save(file, format="PNG", compress_level=1)
    kept_by = "private" if sign_in.is_required() else "public"  # a cache on the way would not ask who wants it
    headers = {"Cache-Control": f"{kept_by}, max-age=31536000, immutable"}
    return Response(file.getvalue(), headers=headers, media_type="image/png")


def _missing(sentence: str) -> Response:
    # Other data may be in use a minute later.
    return PlainTextResponse(sentence, status_code=404, headers={"Cache-Control": "no-store"})
