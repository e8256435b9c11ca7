"""File names: safe on every system, and still those that people gave."""

import pytest

from fmnist_core.export.file_names import file_stem
from tests.export import hostile


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("", "run"),
        ("Mit Dropout, 2. Versuch", "Mit-Dropout-2-Versuch"),
        ("走った", "走った"),
        ("e\N{COMBINING ACUTE ACCENT}te", "éte"),
        ("../../etc/passwd", "etc-passwd"),
        ("C:\\Windows\\x", "C-Windows-x"),
        ("nul", "run-nul"),
        ("CoM1", "run-CoM1"),
        ("console", "console"),
        (".hidden", "hidden"),
        ("-rf *", "rf"),
        ("a\x00b\nc\td", "a-b-c-d"),
        ("report\N{RIGHT-TO-LEFT OVERRIDE}lmth.exe", "report-lmth-exe"),
        ("x" * 300, "x" * 60),
        ("...", "run"),
    ],
)
def test_a_name_becomes_one_that_is_safe(name, stem):
    assert file_stem(name, "run", "0123456789abcdef") == f"{stem}-0123456789abcdef"


def test_the_longest_name_of_the_widest_letters_fits_a_file_system():
    assert len(file_stem("\N{CJK UNIFIED IDEOGRAPH-8D70}" * 200, "run", "0" * 16).encode()) < 255 - len(".safetensors")


def test_nothing_of_a_hostile_name_is_left_but_letters_and_digits():
    assert file_stem(hostile.NAME, "run", "k") == "CON-1-1-b-Läufer-b-走-gpj-exe-k"
