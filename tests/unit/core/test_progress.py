import pytest

from unmask.core import progress


class Terminal:
    """A stderr that says it is a terminal."""

    def __init__(self):
        self.text = ""

    def isatty(self):
        return True

    def write(self, text):
        self.text += text
        return len(text)

    def flush(self):
        pass


def test_without_a_terminal_progress_is_plain_lines(capsys, monkeypatch):
    monkeypatch.setattr(progress, "PLAIN_INTERVAL_S", 0.0)

    with progress.bar("count", 3) as bar:
        bar.advance(2, "half way")

    written = capsys.readouterr()
    assert written.out == ""
    assert written.err.splitlines() == ["count: 2 of 3 in 0 s  half way"]


def test_an_estimated_total_may_change(capsys, monkeypatch):
    monkeypatch.setattr(progress, "PLAIN_INTERVAL_S", 0.0)

    with progress.bar("count", None) as bar:
        bar.advance()
        bar.expect(9)
        bar.advance()

    lines = capsys.readouterr().err.splitlines()
    assert lines == ["count: 1 in 0 s", "count: 2 of 9 in 0 s"]


def test_what_takes_hours_speaks_more_rarely(capsys, monkeypatch):
    now = 0.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)

    with progress.bar("count", 7200) as bar:
        for second in range(7200):
            now = float(second)
            bar.advance()

    lines = capsys.readouterr().err.splitlines()
    spoken = [int(line.split()[-2]) for line in lines]
    assert spoken[:3] == [5, 10, 15]
    assert [late - early for early, late in zip(spoken[-9:-2], spoken[-8:-1], strict=True)] == [
        60
    ] * 7
    assert len(lines) < 200


def test_plain_lines_do_not_flood(capsys, monkeypatch):
    def count():
        with progress.bar("count", 1000) as bar:
            for _ in range(1000):
                bar.advance()
        return capsys.readouterr().err.splitlines()

    assert count() == []
    monkeypatch.setattr(progress, "QUICK_S", 0.0)
    assert count() == ["count: 1,000 of 1,000 in 0 s"]


def test_a_failure_is_not_reported_as_progress(capsys):
    with pytest.raises(ValueError, match="broken"), progress.bar("count", 3):
        raise ValueError("broken")

    assert capsys.readouterr().err == ""


def test_on_a_terminal_bars_nest_and_talk_stands_above(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)

    with progress.bar("outer", 2) as outer:
        with progress.bar("inner", 5) as inner:
            inner.advance(5)
        progress.say("half [way]")
        outer.advance(2, "loss 1.0")

    assert "outer" in terminal.text
    assert "inner" in terminal.text
    assert "half [way]" in terminal.text
    assert "loss 1.0" in terminal.text


def test_tracking_passes_every_item_on(capsys, monkeypatch):
    monkeypatch.setattr(progress, "QUICK_S", 0.0)
    assert list(progress.track(range(4), "items", 4)) == [0, 1, 2, 3]
    assert "items: 4 of 4" in capsys.readouterr().err
