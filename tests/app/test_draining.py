from app.draining import Draining


def test_nothing_drains_before_it_is_told_to():
    draining = Draining()
    assert not draining.has_begun
    assert not draining.is_over()


def test_draining_lasts_as_long_as_it_is_told():
    draining = Draining(3600)
    draining.begin()
    assert draining.has_begun
    assert not draining.is_over()


def test_draining_for_no_time_is_over_at_once():
    draining = Draining(0)
    draining.begin()
    assert draining.is_over()
