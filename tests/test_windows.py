"""Windows for the reader: every wanted sentence in one, none in two, none too long."""

import pytest

from nkqa.engine import Engine
from nkqa.windows import LONGEST, place


@pytest.mark.parametrize("wanted", [[0], [3, 0], [5, 4, 1], list(range(8))])
def test_every_wanted_sentence_is_in_one_window(toy_engine: Engine, wanted: list[int]) -> None:
    claims = toy_engine.claims.all
    passages = {c.row: toy_engine.passage(toy_engine.cite(c.document_id, c.index).passage_id) for c in claims}
    first = {c.document_id: c.row - c.index for c in claims}
    windows = place(wanted, passages, toy_engine.documents, first)
    rows = [row for placed in windows for row in placed.rows]
    assert len(rows) == len(set(rows))
    assert set(wanted) <= set(rows)
    for placed in windows:
        texts = [placed.window.text[s.start : s.end] for s in placed.window.sentences]
        assert texts == [claims[row].text for row in placed.rows]
        assert len(placed.rows) == 1 or len(placed.window.text) <= LONGEST
        assert len({passages[row].id for row in placed.rows}) == 1
