import struct

import numpy as np
import pytest

from fmnist_core.data.idx import read_idx


def test_images_and_labels_are_read():
    images = np.arange(2 * 28 * 28, dtype=np.uint32).astype(np.uint8).reshape(2, 28, 28)
    content = bytearray(struct.pack(">4I", 0x0803, 2, 28, 28) + images.tobytes())
    assert np.array_equal(read_idx(content, 3), images)
    assert read_idx(bytearray(struct.pack(">2I", 0x0801, 3) + b"\1\2\3"), 1).tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "must begin with 8 bytes that say what follows, got 0"),
        (struct.pack(">I", 0x0801), "must begin with 8 bytes that say what follows, got 4"),
        (struct.pack(">2I", 0x0803, 3) + b"123", "must begin with 0x0801, got 0x0803"),
        (struct.pack(">2I", 0x0D01, 3) + b"123", "must begin with 0x0801, got 0x0d01"),
        (struct.pack(">2I", 0x0801, 3) + b"12", r"of shape \(3,\) must hold 3 bytes, got 2"),
        (struct.pack(">2I", 0x0801, 3) + b"1234", r"of shape \(3,\) must hold 3 bytes, got 4"),
    ],
)
def test_anything_else_is_refused(content, words):
    with pytest.raises(ValueError, match=words):
        read_idx(bytearray(content), 1)
