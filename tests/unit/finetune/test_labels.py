from unmask.finetune.run import label_names


def test_integer_labels_are_numbered_by_value():
    assert label_names({"10", "2", "-1"}) == ("-1", "2", "10")


def test_named_labels_are_numbered_by_name():
    assert label_names({"yes", "no", "2"}) == ("2", "no", "yes")
