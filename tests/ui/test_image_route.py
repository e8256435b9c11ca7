"""What the images' addresses are, and what is served at them."""

import io

import numpy as np
import pytest
from PIL import Image
from streamlit import config

from fmnist_core.data.image_name import ImageName
from tests import http
from tests.page_lab import REAL, SECONDS
from ui import handles
from ui.components.image_route import image_folder, image_route


@pytest.fixture
def base_path():
    def set_base_path(value: str) -> None:
        config.set_option("server.baseUrlPath", value)

    yield set_base_path
    config.set_option("server.baseUrlPath", "")


@pytest.fixture
def loaded(lab):
    """A server whose data are there."""
    assert handles.data().wait(SECONDS)
    return lab


def fetch(path: str) -> tuple[int, dict[str, str], bytes]:
    """The status, headers and body of an image's address."""
    answer = http.fetch(image_route(), path)
    return answer.status, answer.headers, answer.body


def address(fingerprint: str, name: object) -> str:
    """Where the browser finds an image."""
    return f"{image_folder(fingerprint)}{name}.png"


def test_address_names_data_and_image(base_path):
    assert image_folder("0123456789abcdef") == "./assets/images/0123456789abcdef/"
    base_path("/class/lab/")
    assert image_route().path == "/class/lab/assets/images/{fingerprint}/{name}.png"


@pytest.mark.parametrize("name", [ImageName("test", 25), ImageName("train", 599)])
def test_an_image_is_served_pixel_by_pixel_and_for_good(loaded, name):
    status, headers, body = fetch(address(REAL.fingerprint, name))
    assert status == 200
    assert headers["content-type"] == "image/png"
    assert headers["cache-control"] == "public, max-age=31536000, immutable"
    picture = Image.open(io.BytesIO(body))
    assert (picture.mode, picture.size) == ("L", (28, 28))
    assert np.array_equal(np.asarray(picture), name.find(REAL)[0])


@pytest.mark.parametrize(
    ("fingerprint", "name", "sentence"),
    [
        ("0" * 16, "test-25", "These are not the data in use."),
        (REAL.fingerprint, "test-200", "no test-200"),
        (REAL.fingerprint, "test-025", "must be like test-123 or train-4567, got 'test-025'"),
        (REAL.fingerprint, "<b>", "must be like"),
    ],
)
def test_what_is_not_there_gets_a_sentence_that_no_cache_keeps(loaded, fingerprint, name, sentence):
    status, headers, body = fetch(address(fingerprint, name))
    assert status == 404
    assert headers["content-type"].startswith("text/plain")
    assert headers["cache-control"] == "no-store"
    assert sentence in body.decode()
    assert body.endswith(b".")


def test_no_image_is_served_while_the_data_load(lab, monkeypatch):
    monkeypatch.setattr("ui.handles.data", lambda: type("Loading", (), {"dataset": None}))
    assert fetch(address(REAL.fingerprint, "test-25"))[0] == 404
