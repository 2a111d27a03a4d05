"""Digits as pictures, as requests and as answers."""

import json

import pytest

from tools.demo import digits
from tools.demo.digits import Answer, BadAnswerError, Digit


def test_every_digit_and_a_hard_one_are_there() -> None:
    labels = [digit.label for digit in digits.load()]

    assert labels[:10] == list(range(10))
    assert len(labels) == 11


def test_every_scan_has_64_grey_values_from_0_to_16() -> None:
    assert all(len(digit.pixels) == 64 and set(digit.pixels) <= set(range(17)) for digit in digits.load())


def test_a_picture_shows_light_as_blank_and_dark_as_ink() -> None:
    picture = digits.draw(Digit(1, (0, 16) + (0,) * 62))

    assert picture[0] == "  @@            "
    assert len(picture) == 8


def test_a_request_carries_one_row_of_the_tensor_per_digit() -> None:
    tensor = digits.request_for(digits.load()[:2])["inputs"][0]

    assert tensor["shape"] == [2, 64]
    assert len(tensor["data"]) == 128


def test_an_answer_names_its_version_and_predictions() -> None:
    body = {"model_version": "3", "outputs": [{"data": [7, 1.0]}]}

    assert digits.parse_answer(json.dumps(body)) == Answer("3", (7, 1))


@pytest.mark.parametrize("text", ["", "<html>", "[]", '{"error": "no model"}', '{"model_version": "1", "outputs": []}'])
def test_what_is_no_answer_is_shown_in_the_error(text: str) -> None:
    with pytest.raises(BadAnswerError, match=r"Open Inference Protocol"):
        digits.parse_answer(text)


def test_a_wrong_prediction_is_marked() -> None:
    assert digits.caption(Digit(3, ()), 3) == "3 read as 3"
    assert digits.caption(Digit(3, ()), 9) == "3 read as 9  (!)"


def test_the_gallery_puts_four_digits_side_by_side_above_their_predictions() -> None:
    scans = digits.load()[:5]

    lines = digits.gallery(scans, Answer("1", (0, 1, 2, 3, 4)))

    assert "0 read as 0" in lines[8]
    assert "3 read as 3" in lines[8]
    assert lines[18].startswith("4 read as 4")
