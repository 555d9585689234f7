from unmask.core.rows import numbers


def test_numbers_are_named_by_the_way_to_them():
    row = {
        "kind": "train",
        "step": 3,
        "time": 1.5,
        "loss": 2,
        "mfu": None,
        "task": "cola",
        "fine": True,
        "seconds": {"data": 0.5, "more": {"deep": 1}},
        "values": [7, 8],
    }

    assert dict(numbers(row)) == {
        "loss": 2.0,
        "seconds/data": 0.5,
        "seconds/more/deep": 1.0,
        "values/00": 7.0,
        "values/01": 8.0,
    }
