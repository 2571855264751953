from app.draining import Draining


def test_draining_begins_only_when_told():
    draining = Draining()
    assert not draining.has_begun
    assert not draining.is_over()


def test_draining_is_not_over_before_its_time():
    draining = Draining(3600)
    draining.begin()
    assert draining.has_begun
    assert not draining.is_over()


def test_draining_for_0_seconds_is_over_at_once():
    draining = Draining(0)
    draining.begin()
    assert draining.is_over()
